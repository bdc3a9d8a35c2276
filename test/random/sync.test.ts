// Random programs of threads and processes that take turns with what uintr/sync has, against a sequential model. A failure
// names the seed; UINTR_RANDOM_SYNC=<seed> runs it again.
import { strict as assert } from 'node:assert';
import { AtomicCounter, Completion, PerCpuCounter, SharedRegion } from '../../lib/sync.js';
import { processTest } from '../helpers/rank-test.js';
import { LOCKS, type Lock, Peer, type Remote } from '../helpers/sync.js';
import { Random } from './prng.js';

const STEPS = 700;
const ACTORS = [() => Peer.process(), () => Peer.process(), () => Peer.thread(), () => Peer.thread()];
const ALL = Number.POSITIVE_INFINITY;

/** What a lock is, seen by somebody who sees everything. */
interface LockModel {
  owner: number | undefined;
  /** What its owner has to release it. */
  guard?: Remote;
  whole: boolean;
}

interface Actor {
  peer: Peer;
  locks: Remote[];
  atomic: Remote;
  perCpu: Remote;
  done: Remote;
}

/** Of 64 bits. */
const amount = (random: Random): bigint => {
  const magnitude = BigInt(Math.floor(random.next() * 2 ** 31)) << BigInt(random.pick([0, 8, 22, 32]));
  return random.chance(0.5) ? magnitude : -magnitude;
};

/** What came of a call: its value, or the code of its error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error) => {
    if (error.code === undefined) throw error;
    return error.code;
  });
}

class Program {
  readonly #random: Random;
  readonly #region = SharedRegion.create();
  readonly #locks: Lock[] = LOCKS.map(({ make }) => make(this.#region));
  readonly #atomic = new AtomicCounter(this.#region);
  readonly #perCpu = new PerCpuCounter(this.#region);
  readonly #done = new Completion(this.#region);
  readonly #models: LockModel[] = LOCKS.map(() => ({ owner: undefined, whole: true }));
  readonly #actors: Actor[] = [];
  #count = 0n;
  #sum = 0n;
  #completed = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async start(place: number): Promise<void> {
    const peer = ACTORS[place]!();
    const locks: Remote[] = [];
    for (const [i, { type }] of LOCKS.entries()) locks.push(await peer.open(type, this.#locks[i]!));
    this.#actors[place] = {
      peer,
      locks,
      atomic: await peer.open('AtomicCounter', this.#atomic),
      perCpu: await peer.open('PerCpuCounter', this.#perCpu),
      done: await peer.open('Completion', this.#done),
    };
  }

  async run(): Promise<void> {
    for (const place of ACTORS.keys()) await this.start(place);
    for (let step = 0; step < STEPS; step += 1) {
      const place = this.#random.below(ACTORS.length);
      const kind = this.#random.below(20);
      if (kind < 12) await this.#lockStep(place, this.#random.below(LOCKS.length));
      else if (kind < 15) await this.#countStep(this.#actors[place]!);
      else if (kind < 19) await this.#completionStep(this.#actors[place]!);
      else if (this.#random.chance(0.25)) await this.#death(place);
      this.#look();
    }
    for (const { peer } of this.#actors) assert.equal(await peer.end(), 0);
  }

  async #lockStep(place: number, which: number): Promise<void> {
    const { peer, locks } = this.#actors[place]!;
    const model = this.#models[which]!;
    const lock = locks[which]!;
    const what = this.#random.pick([
      'lock',
      'tryLock',
      'lockAsync',
      'unlock',
      'unlock',
      'guard',
      'consistent',
    ] as const);
    if (what === 'unlock') {
      const mine = model.owner === place;
      assert.equal(await outcome(peer.call(lock, 'unlock')), mine ? undefined : 'ERR_UINTR_NOT_OWNER');
      if (mine) model.owner = undefined;
    } else if (what === 'guard' || what === 'consistent') {
      if (model.owner !== place) return;
      await peer.call(model.guard!, what === 'guard' ? 'unlock' : 'consistent');
      if (what === 'guard') model.owner = undefined;
      else model.whole = true;
    } else {
      // Its helper would notice some time after the answer, and have the lock in its hands for a moment.
      if (what === 'lockAsync' && model.owner !== undefined) return;
      const recover = this.#random.chance(0.6);
      const options = what === 'tryLock' ? { recover } : { recover, timeoutMs: 0 };
      const came = await outcome(peer.call(lock, what, options));
      if (model.owner !== undefined) {
        const own = model.owner === place;
        assert.equal(came, what === 'tryLock' ? undefined : own ? 'ERR_UINTR_DEADLOCK' : 'ERR_UINTR_TIMEOUT');
      } else if (!model.whole && !recover) {
        assert.equal(came, 'ERR_UINTR_OWNER_DIED');
      } else {
        assert.equal((came as Remote).ownerDied, !model.whole);
        model.owner = place;
        model.guard = came as Remote;
      }
    }
  }

  async #countStep({ peer, atomic, perCpu }: Actor): Promise<void> {
    const n = amount(this.#random);
    const isAtomic = this.#random.chance(0.5);
    const before = isAtomic ? this.#count : this.#sum;
    const ways: [string, unknown[], bigint, unknown][] = [
      ['add', [n], before + n, undefined],
      ['sub', [n], before - n, undefined],
      ['increment', [], before + 1n, undefined],
      ['decrement', [], before - 1n, undefined],
    ];
    if (isAtomic) ways.push(['fetchAdd', [n], before + n, before], ['exchange', [n], n, before]);
    const [method, args, after, answer] = this.#random.pick(ways);
    assert.equal(await peer.call(isAtomic ? atomic : perCpu, method, ...args), answer);
    if (isAtomic) this.#count = BigInt.asIntN(64, after);
    else this.#sum = BigInt.asIntN(64, after);
  }

  async #completionStep({ peer, done }: Actor): Promise<void> {
    const method = this.#random.pick(['complete', 'complete', 'tryWait', 'wait', 'waitAsync', 'completeAll', 'reinit']);
    if (method === 'complete' || method === 'completeAll' || method === 'reinit') {
      await peer.call(done, method);
      if (method === 'complete') this.#completed += 1;
      else this.#completed = method === 'reinit' ? 0 : ALL;
      return;
    }
    const ends = this.#completed > 0;
    // As with locks.
    if (method === 'waitAsync' && !ends) return;
    const args = method === 'wait' ? [0] : method === 'waitAsync' ? [{ timeoutMs: 0 }] : [];
    const came = await outcome(peer.call(done, method, ...args));
    assert.equal(came, method === 'tryWait' ? ends : ends ? undefined : 'ERR_UINTR_TIMEOUT');
    if (ends) this.#completed -= 1;
  }

  /** Whatever it owned is nobody's, and not whole. */
  async #death(place: number): Promise<void> {
    await this.#actors[place]!.peer.end(this.#random.pick(['kill', 'exit']));
    for (const model of this.#models) {
      if (model.owner === place) Object.assign(model, { owner: undefined, whole: false });
    }
    await this.start(place);
  }

  #look(): void {
    assert.deepEqual(
      [this.#atomic.load(), this.#perCpu.sum(), this.#done.done],
      [this.#count, this.#sum, this.#completed],
    );
    for (const [i, { owner }] of this.#models.entries()) {
      // The lock of an owner that has died is its, for those who only look, until somebody asks for it.
      if (owner === undefined) continue;
      const { peer } = this.#actors[owner]!;
      assert.equal(this.#locks[i]!.holder!.pid, peer.child?.pid ?? process.pid);
    }
  }
}

const given = process.env['UINTR_RANDOM_SYNC'];

processTest(
  '1. threads and processes that take turns find what a sequential model has',
  { ranks: 1, ...(given !== undefined && { env: { UINTR_RANDOM_SYNC: given } }) },
  async () => {
    const seed = Number(given ?? Date.now() % 1_000_000_007);
    await new Program(seed).run().catch((error) => {
      throw new Error(`UINTR_RANDOM_SYNC=${seed}`, { cause: error });
    });
  },
);
