// close() while a peer is stopped in the middle of a copy: the world is left all the same, and only the memory that the
// peer may still touch stays, until the peer has gone on or ended.
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JoinOptions, World } from '../../lib/index.js';
import { peerExited } from '../helpers/errors.js';
import { DRIVERS, environmentOf } from '../helpers/matrix.js';
import { assertAll } from '../helpers/pattern.js';
import { heldMemory, isStopped } from '../helpers/proc.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { registry } from '../helpers/registry.js';
import { nextPeerExit } from '../helpers/worlds.js';

const SIZE = 64 * 2 ** 20;
const [CLOSER, STOPPED, OTHER] = [0, 1, 2] as const;
const [PID, GO, DONE] = [1, 2, 3];

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** Whether a process has taken the name (docs: `$XDG_RUNTIME_DIR/uintr`, else `~/.uintr`). */
function isTaken(name: string): boolean {
  const { XDG_RUNTIME_DIR: runtime, HOME: home } = process.env;
  return [runtime && join(runtime, 'uintr'), home && join(home, '.uintr')].some(
    (folder) => folder && existsSync(join(folder, `${name}.sock`)),
  );
}

/** Sends until the world's end; copies while it waits. */
async function stopped(world: World, t: Tools, options: JoinOptions): Promise<void> {
  await world.recv({ source: CLOSER, tag: GO });
  const second = await t.join(options);
  await world.send(Uint32Array.of(process.pid), { dest: CLOSER, tag: PID });
  const data = new Uint8Array(SIZE).fill(1);
  try {
    for (;;) second.isend(data, { dest: CLOSER }).wait();
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ERR_UINTR_PEER_EXITED');
  }
  // It has gone on; what follows is not the end of this rank.
  await world.recv({ source: CLOSER, tag: DONE });
  await second.close();
}

/** Stops the sender while it copies into this rank's memory. Done when it stands still with a message half moved. */
async function stopInTheMiddle(second: World, pid: number, heap: boolean): Promise<void> {
  for (;;) {
    const into = heap ? second.alloc(SIZE) : new Uint8Array(SIZE);
    const received = second.irecv(into, { source: STOPPED });
    // It copies from the back, and this rank from the front.
    while (Atomics.load(into, SIZE - SIZE / 8) === 0) second.progress();
    process.kill(pid, 'SIGSTOP');
    while (!isStopped(pid));
    if (Atomics.load(into, SIZE / 2) === 0) {
      received.catch(() => {});
      return;
    }
    process.kill(pid, 'SIGCONT');
    await received;
  }
}

const closes = (how: 'SIGCONT' | 'SIGKILL', copy: string) => async (t: Tools) => {
  const world = await t.join();
  const name = `${t.joinOptions.name}-second`;
  const options = { name, size: 3, rank: t.rank };
  if (t.rank === STOPPED) {
    await stopped(world, t, options);
  } else if (t.rank === OTHER) {
    await world.recv({ source: CLOSER, tag: GO });
    const second = await t.join(options);
    const { rank, cause } = await nextPeerExit(second);
    assert.deepEqual({ rank, cause }, { rank: CLOSER, cause: 'closed' });
    await world.send(new Uint8Array(0), { dest: CLOSER, tag: DONE });
    await second.close();
  } else {
    const before = heldMemory();
    // The buffer that JavaScript has from the heap keeps that mapped.
    const keepsMemory = (): boolean => heldMemory() - before > (copy === 'heap' ? 1 : 0);
    // First, so that the name is this process's.
    const joining = t.join(options);
    while (!isTaken(name)) await pause();
    for (const dest of [STOPPED, OTHER]) await world.send(new Uint8Array(0), { dest, tag: GO });
    const second = await joining;
    const pid = Buffer.from((await world.recv({ source: STOPPED, tag: PID })).data).readUInt32LE();
    await stopInTheMiddle(second, pid, copy === 'heap');
    const closing = second.close({ timeoutMs: 0 });
    // As a rule it is; now and then the signal came between two copies, and nothing need be kept.
    const insideCopy = second.inspect().requests.some(({ state }) => state === 'closing');
    await closing;
    const kept = keepsMemory();
    assert.equal(kept, insideCopy);

    t.note('waiting for the other to see it');
    await world.recv({ source: OTHER, tag: DONE });
    t.note('taking the name again');
    const third = await t.join({ name, size: 1, rank: 0 });
    await third.close();

    assert.equal(keepsMemory(), kept);
    process.kill(pid, how);
    t.note('waiting for the memory to come back');
    while (keepsMemory()) await pause();
    if (how === 'SIGCONT') await world.send(new Uint8Array(0), { dest: STOPPED, tag: DONE });
    return insideCopy;
  }
  await world.close();
  return undefined;
};

/** The closer is a worker here, and is terminated; its main thread is the third rank. */
const terminated = (how: 'SIGCONT' | 'SIGKILL', copy: string) => async (t: Tools) => {
  const world = await t.join();
  if (t.rank === STOPPED) {
    for (const dest of [CLOSER, OTHER]) await world.send(Uint32Array.of(process.pid, heldMemory()), { dest, tag: PID });
    const data = new Uint8Array(SIZE).fill(1);
    assert.throws(
      () => {
        for (;;) world.isend(data, { dest: CLOSER }).wait();
      },
      peerExited(CLOSER, 'exited'),
    );
    await world.recv({ source: OTHER, tag: DONE });
  } else if (t.rank === CLOSER) {
    const { data } = await world.recv({ source: STOPPED, tag: PID });
    await stopInTheMiddle(world, Buffer.from(data).readUInt32LE(), copy === 'heap');
    await world.send(data, { dest: OTHER, tag: PID });
    await world.recv({ source: OTHER, tag: GO });
  } else {
    const told = new Uint32Array(2);
    await world.recv(told, { source: STOPPED, tag: PID });
    await world.recv({ source: CLOSER, tag: PID });
    const [pid, ofOneRank] = told as unknown as [number, number];
    await t.terminate(CLOSER);
    // What the stopped rank goes on to write to must not be anybody else's by now.
    const others = Array.from({ length: 4 }, () => new Uint8Array(SIZE));
    process.kill(pid, how);
    t.note('waiting for the memory to come back');
    for (let i = 0; heldMemory() > ofOneRank; i += 1) {
      await (await t.join({ name: `${t.joinOptions.name}-${i}`, size: 1, rank: 0 })).close();
    }
    if (how === 'SIGCONT') await world.send(new Uint8Array(0), { dest: STOPPED, tag: DONE });
    for (const bytes of others) assertAll(bytes, 0);
  }
  await world.close();
};

for (const driver of DRIVERS) {
  for (const copy of ['cma', 'heap'] as const) {
    describe(`a peer that is stopped inside a copy (driver ${driver}, copy ${copy})`, () => {
      registry.withEnvironment({ ...environmentOf(driver), UINTR_COPY: copy }, () => {
        for (const how of ['SIGCONT', 'SIGKILL'] as const) {
          const exits = how === 'SIGCONT' ? [0, 0, 0] : ([0, 'SIGKILL', 0] as const);
          const then = how === 'SIGCONT' ? 'goes on' : 'is killed';
          processTest(
            `1. keeps nothing of a closed world but memory, until it ${then}`,
            { ranks: 3, exits, timeoutMs: 20_000 },
            closes(how, copy),
          );
          processTest(
            `2. keeps nothing of a terminated worker but memory, until it ${then}`,
            {
              ranks: 3,
              processes: [[OTHER, CLOSER], [STOPPED]],
              ended: [CLOSER],
              exits: how === 'SIGCONT' ? [0, 0] : [0, 'SIGKILL'],
              timeoutMs: 20_000,
            },
            terminated(how, copy),
          );
        }
      });
    });
  }
}
