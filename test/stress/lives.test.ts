// Ranks of an elastic world are killed at random, also while they join, and come back, while all of them talk to each
// other.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import type { Crew } from '../helpers/crew.js';
import { LIFE } from '../helpers/lives.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import { processTest } from '../helpers/rank-test.js';
import { FACTOR, FACTOR_ENV, rounds } from '../helpers/stress.js';
import { compute } from '../helpers/work.js';
import { Random } from '../random/prng.js';

const ALL = [0, 1, 2];
const KILLS = rounds(20);
const SIZES = [16, 4_000, 16_000, 70_000, 600_000, 2_500_000];
// Words: which message, in which life of the sender, to which life of the receiver.
const HEADER = 3;
const LAST = 0xffffffff;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function exited(error: unknown): void {
  assert.equal((error as { code?: string }).code, 'ERR_UINTR_PEER_EXITED', `${error}`);
}

/** Numbered messages to that rank, from 0 on to each of its lives, and one that says that there are no more. */
async function sendTo(peer: number, world: World, over: () => boolean): Promise<void> {
  for (let n = 0, life = -1; ; n += 1) {
    while (!world.isAlive(peer)) await turn();
    if (world.incarnation(peer) !== life) n = 0;
    life = world.incarnation(peer);
    const last = over();
    const bytes = new Uint8Array(last ? 16 : SIZES[n % SIZES.length]!);
    fill(bytes, n);
    new Uint32Array(bytes.buffer).set([last ? LAST : n, world.incarnation(), life]);
    try {
      await world.send(bytes, { dest: peer });
      if (last) return;
    } catch (error) {
      exited(error);
    }
  }
}

/** What that rank sends is whole and in order: one of its lives after another, each from its first message on. */
async function receiveFrom(peer: number, world: World): Promise<void> {
  const into = new Uint8Array(SIZES.at(-1)!);
  const header = new Uint32Array(into.buffer, 0, HEADER);
  for (let next = 0, life = -1, count = 0; ; count += 1) {
    if (count % 3 === 2) compute(200);
    try {
      const { byteLength } = await world.recv(into, { source: peer });
      const [n, from, to] = [...header] as [number, number, number];
      assert.equal(to, world.incarnation());
      if (from !== life) next = 0;
      assert.ok(from >= life, `a message of life ${from} of rank ${peer} after one of life ${life}`);
      life = from;
      if (n === LAST) return;
      assert.equal(n, next, `message ${n} of life ${from} of rank ${peer}`);
      assert.equal(byteLength, SIZES[n % SIZES.length]);
      header.set(new Uint32Array(fill(new Uint8Array(HEADER * 4), n).buffer));
      assertPattern(into.subarray(0, byteLength), n);
      next += 1;
    } catch (error) {
      exited(error);
      await turn();
    }
  }
}

/** Kills one or two at a time, in the midst of it or while they come back, and tells them in the end that it is over. */
async function kill(crew: Crew): Promise<void> {
  const random = new Random(0xe1a5);
  const lives = ALL.map(() => 0);
  const when = (rank: number, what: string): Promise<unknown> => crew.event(rank, `${what} ${lives[rank]}`);
  await Promise.all(ALL.map((rank) => when(rank, 'joined')));
  for (let kills = 0; kills < KILLS; ) {
    const first = random.below(3);
    const victims = random.below(3) === 0 ? [first, (first + 1 + random.below(2)) % 3] : [first];
    const joining = random.below(4) === 0;
    if (!joining) await Promise.all(ALL.map((rank) => when(rank, 'joined')));
    await new Promise((resolve) => setTimeout(resolve, random.below(50)));
    for (const rank of victims) {
      const pid = (await when(rank, 'begun')) as number;
      process.kill(pid, 'SIGKILL');
    }
    kills += victims.length;
    await Promise.all(victims.map((rank) => crew.again(rank)));
    for (const rank of victims) lives[rank]! += 1;
  }
  for (const rank of ALL) await when(rank, 'joined');
  for (const rank of ALL) process.kill((await when(rank, 'begun')) as number, 'SIGTERM');
}

eachDriver(() => {
  processTest(
    '1. what comes is whole and in order, and in the end all are there',
    {
      ranks: 3,
      join: { rejoin: true },
      exits: 'any',
      timeoutMs: 60_000 + 60_000 * FACTOR,
      env: FACTOR_ENV,
      during: kill,
    },
    async (t) => {
      let over = false;
      process.on('SIGTERM', () => (over = true));
      t.tell(`begun ${LIFE}`, process.pid);
      const world = await t.join();
      t.tell(`joined ${LIFE}`);
      t.note(`life ${LIFE}, incarnations ${ALL.map((rank) => world.incarnation(rank))}`);
      const others = ALL.filter((rank) => rank !== world.rank);
      await Promise.all(others.flatMap((peer) => [sendTo(peer, world, () => over), receiveFrom(peer, world)]));
      t.note('all is said');
      await world.barrier();
      await world.close();
    },
  );
});
