// Notification as programs of this package meet it: a synchronous send of a word to a rank that computes in JavaScript,
// whose handler matches and delivers it; and a short send to a rank that sleeps in its event loop. The same course as
// bench/peers/notify/common.h: the follower answers each ring, and the leader keeps the time.
import type { Request, World } from '../../lib/index.js';
import type { NotifyPlan } from '../lib/notify-plan.js';
import { printNotify } from '../lib/peer-lines.js';
import { work } from '../lib/work.js';
import { computeFor, emulated, now, Times } from './notify-times.js';
import { joinPair, type Pair } from './rank.js';

/** What a ring carries: when the follower got to know of the ring it answers, and whether it is the last one. */
const wordBytes = 16;
const goesOn = 1;
const isLast = 2;

class Word {
  readonly bytes: Uint8Array;
  readonly #micros: Float64Array;
  readonly #flag: Int32Array;

  // In the shared heap, so that one plain copy delivers it.
  constructor(world: World) {
    this.bytes = world.alloc(wordBytes);
    this.#micros = new Float64Array(this.bytes.buffer, this.bytes.byteOffset, 1);
    this.#flag = new Int32Array(this.bytes.buffer, this.bytes.byteOffset + 8, 1);
  }

  /** 0 until a handler has delivered it; an atomic load, since nothing in the loop that asks seems to change it. */
  get flag(): number {
    return Atomics.load(this.#flag, 0);
  }

  get micros(): number {
    return this.#micros[0];
  }

  set(flag: number, micros = 0): void {
    this.#micros[0] = micros;
    Atomics.store(this.#flag, 0, flag);
  }
}

/** Who is notified computes. Two receives are always posted, so that a ring never finds none. */
class Running {
  readonly #peer: number;
  readonly #world: World;
  readonly #out: Word;
  readonly #into: [Word, Word];
  readonly #posted: Request<unknown>[];
  #turn = 0;
  #sent?: Request<unknown>;

  constructor({ world, peer }: Pair) {
    this.#world = world;
    this.#peer = peer;
    this.#out = new Word(world);
    this.#into = [new Word(world), new Word(world)];
    this.#posted = this.#into.map((word) => this.#post(word));
  }

  ring(flag: number, micros?: number): void {
    this.#out.set(flag, micros);
    this.#sent = this.#world.issend(this.#out.bytes, { dest: this.#peer });
  }

  /** Computes, and looks now and then whether a handler has delivered. */
  arrive(): void {
    while (this.#into[this.#turn].flag === 0) work(8);
  }

  /** Outside the time that is taken: what arrived, and the requests of this turn done with. */
  settle(): { last: boolean; micros: number } {
    const turn = this.#turn;
    const word = this.#into[turn];
    this.#posted[turn].wait();
    this.#sent?.wait();
    const { flag, micros } = word;
    this.#posted[turn] = this.#post(word);
    this.#turn = 1 - turn;
    return { last: flag === isLast, micros };
  }

  cancel(): void {
    for (const request of this.#posted) request.cancel();
  }

  #post(word: Word): Request<unknown> {
    word.set(0);
    return this.#world.irecv(word.bytes, { source: this.#peer, tag: 0 });
  }
}

function leadRunning(pair: Pair, plan: NotifyPlan): Times {
  const bell = new Running(pair);
  const sample = (flag: number): [number, number] => {
    computeFor(plan.settleMicros);
    const rung = now();
    bell.ring(flag);
    bell.arrive();
    const answered = now();
    return [bell.settle().micros - rung, answered - rung];
  };
  const times = new Times(plan);
  while (times.wantsMore()) times.add(sample(goesOn));
  sample(isLast);
  bell.cancel();
  return times;
}

function followRunning(pair: Pair, plan: NotifyPlan): void {
  const bell = new Running(pair);
  for (let last = false; !last; ) {
    bell.arrive();
    bell.ring(goesOn, now());
    // Who waits takes part in copying, and the answer is not delivered yet.
    computeFor(plan.settleMicros / 2);
    last = bell.settle().last;
  }
  bell.cancel();
}

async function leadAsleep({ world, peer }: Pair, plan: NotifyPlan): Promise<Times> {
  const [out, into] = [new Word(world), new Word(world)];
  const sample = async (flag: number): Promise<[number, number]> => {
    computeFor(plan.settleMicros);
    out.set(flag);
    const answer = world.irecv(into.bytes, { source: peer, tag: 1 });
    const rung = now();
    const sent = world.isend(out.bytes, { dest: peer, tag: 1 });
    await answer;
    const answered = now();
    await sent;
    return [into.micros - rung, answered - rung];
  };
  const times = new Times(plan);
  while (times.wantsMore()) times.add(await sample(goesOn));
  await sample(isLast);
  return times;
}

async function followAsleep({ world, peer }: Pair): Promise<void> {
  const [out, into] = [new Word(world), new Word(world)];
  for (let last = false; !last; ) {
    await world.recv(into.bytes, { source: peer, tag: 1 });
    const known = now();
    last = into.flag === isLast;
    out.set(goesOn, known);
    await world.send(out.bytes, { dest: peer, tag: 1 });
  }
}

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as NotifyPlan;
  const pair = await joinPair(plan.cpus);
  const { world } = pair;
  const about = { driver: world.driver, ...(emulated(world.driver) && { emulated: true as const }) };
  // Nobody would ever tell a rank that only computes.
  const interrupts = world.driver !== 'poll';
  if (world.rank === 0) {
    if (interrupts) {
      const running = leadRunning(pair, plan);
      printNotify({ state: 'running', how: 'computes in JavaScript, handler', ...running, ...about });
    } else {
      printNotify({ state: 'running', reason: "driver 'poll' has no interrupts", ...about });
    }
    const asleep = await leadAsleep(pair, plan);
    printNotify({ state: 'asleep', how: 'epoll_wait of the event loop, await', ...asleep, ...about });
  } else {
    if (interrupts) followRunning(pair, plan);
    await followAsleep(pair);
  }
  await world.close();
}

void main();
