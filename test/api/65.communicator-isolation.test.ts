// Whatever a message is looked for and received by, it comes from the communicator that was asked, and from no other.
import { strict as assert } from 'node:assert';
import {
  ANY_SOURCE,
  ANY_TAG,
  type Comm,
  type DerivedComm,
  type Matched,
  PROC_NULL,
  type World,
} from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { allMeet, meet, nothingLeft } from '../helpers/worlds.js';

const SIZES = [10, 100_000];
const TAG = 5;
const freed = coded('ERR_UINTR_CLOSED', 'freed');

interface Exchange {
  name: string;
  give(comm: Comm, data: Uint8Array): PromiseLike<unknown>;
  /** What rank 1 gets from rank 0. */
  take(comm: Comm, size: number): Promise<Uint8Array>;
  /** The thread does nothing else until it is there. */
  spins?: true;
}

const isend: Exchange['give'] = (comm, data) => comm.isend(data, { dest: 1, tag: TAG });

const EXCHANGES: Exchange[] = [
  {
    name: 'recv into a buffer',
    give: isend,
    take: async (comm, size) => {
      const into = new Uint8Array(size);
      await comm.recv(into);
      return into;
    },
  },
  {
    name: 'recv without a buffer, of a synchronous send',
    give: (comm, data) => comm.issend(data, { dest: 1, tag: TAG }),
    take: async (comm) => (await comm.recv({ source: 0, tag: TAG })).data,
  },
  {
    name: 'probe',
    give: isend,
    take: async (comm, size) => {
      const status = await comm.probe();
      assert.deepEqual({ ...status }, { source: 0, tag: TAG, byteLength: size });
      return (await comm.recv(status)).data;
    },
  },
  {
    name: 'iprobe',
    give: isend,
    spins: true,
    take: async (comm, size) => {
      let status = comm.iprobe({ source: ANY_SOURCE, tag: ANY_TAG });
      while (status === null) status = comm.iprobe();
      assert.deepEqual({ ...status }, { source: 0, tag: TAG, byteLength: size });
      return (await comm.recv(status)).data;
    },
  },
  {
    name: 'mprobe',
    give: isend,
    take: async (comm) => (await (await comm.mprobe()).recv()).data,
  },
  {
    name: 'improbe',
    give: isend,
    spins: true,
    take: async (comm) => {
      let matched: Matched | null = null;
      while (matched === null) matched = comm.improbe();
      return (await matched.recv()).data;
    },
  },
  {
    name: 'messages()',
    give: isend,
    take: async (comm) => {
      for await (const { data } of comm.messages()) return data;
      throw new Error('no message');
    },
  },
  {
    name: 'persistent requests',
    give: (comm, data) => comm.sendInit(data, { dest: 1, tag: TAG }).start(),
    take: async (comm, size) => {
      const into = new Uint8Array(size);
      await comm.recvInit(into).start();
      return into;
    },
  },
  {
    name: 'sendrecv',
    give: (comm, data) => comm.sendrecv(data, new Uint8Array(1), { dest: 1, source: 1, sendTag: TAG, recvTag: 6 }),
    take: async (comm, size) => {
      const into = new Uint8Array(size);
      await comm.sendrecv(new Uint8Array(1), into, { dest: 0, source: ANY_SOURCE, sendTag: 6, recvTag: ANY_TAG });
      return into;
    },
  },
  {
    name: 'objects',
    give: (comm, data) => comm.isendObject({ data }, { dest: 1, tag: TAG }),
    take: async (comm) => (await comm.recvObject<{ data: Uint8Array }>()).value.data,
  },
];

/** The world, and two more of the same ranks. */
async function three(world: World): Promise<[World, DerivedComm, DerivedComm]> {
  return [world, await world.dup(), await world.dup()];
}

eachDriver(() => {
  rankTest('1. what was there before', 2, async (world, t) => {
    const comms = await three(world);
    for (const { name, give, take } of EXCHANGES) {
      for (const size of SIZES) {
        t.note(`by ${name}, ${size} bytes`);
        if (world.rank === 0) {
          const given = comms.map((comm, i) => give(comm, pattern(i, size)));
          await world.sendObject('all there', { dest: 1, tag: 99 });
          await Promise.all(given);
        } else {
          await world.recvObject({ source: 0, tag: 99 });
          // What was sent first is asked for last.
          for (const [i, comm] of [...comms.entries()].reverse()) {
            assertPattern(await take(comm, size), i);
            // Theirs is taken, and they see none of the others.
            assert.equal(comm.iprobe({ tag: TAG }), null);
            assert.equal(comm.improbe({ tag: TAG }), null);
          }
        }
        await meet(world);
      }
    }
  });

  rankTest('2. what comes afterwards', 2, async (world, t) => {
    const comms = await three(world);
    for (const { name, give, take } of EXCHANGES.filter(({ spins }) => !spins)) {
      for (const size of SIZES) {
        t.note(`by ${name}, ${size} bytes`);
        if (world.rank === 0) {
          await world.recvObject({ source: 1, tag: 99 });
          // The first that waits is the last that gets something.
          await Promise.all([...comms.entries()].reverse().map(([i, comm]) => give(comm, pattern(i, size))));
        } else {
          const taken = comms.map((comm) => take(comm, size));
          await world.sendObject('all wait', { dest: 0, tag: 99 });
          for (const [i, data] of (await Promise.all(taken)).entries()) assertPattern(data, i);
        }
        await meet(world);
      }
    }
  });
});

describe('what is given up in one communicator', () => {
  rankTest('3. stays in the others', 2, async (world) => {
    const comms = await three(world);
    const [, one] = comms;
    if (world.rank === 0) {
      await world.recvObject({ source: 1, tag: 99 });
      for (const [i, comm] of comms.entries()) {
        await comm.sendObject(i, { dest: 1, tag: TAG });
        for (let k = 0; k < 3; k += 1) await comm.send(pattern(i * 10 + k, 10), { dest: 1, tag: TAG });
      }
    } else {
      const controller = new AbortController();
      const { signal } = controller;
      const waiting = comms.map((comm) => {
        const options = comm === one ? { tag: TAG, signal } : { tag: TAG };
        return [
          comm.probe(options).then((status) => comm.recv(status)),
          comm.messages(options).next(),
          comm.recvObject(options),
        ] as const;
      });
      controller.abort();
      for (const request of waiting[1]!) {
        await assert.rejects(request, (reason) => reason === signal.reason);
      }
      await world.sendObject('given up', { dest: 0, tag: 99 });
      for (const [i, [probed, next, object]] of waiting.entries()) {
        if (i === 1) continue;
        // Whichever of both was first.
        const contents = [(await probed).data, (await next).value!.data].map((data) =>
          Buffer.from(data).toString('hex'),
        );
        const wanted = [0, 1].map((k) => Buffer.from(pattern(i * 10 + k, 10)).toString('hex'));
        assert.deepEqual(contents.sort(), wanted.sort());
        assertPattern((await comms[i]!.recv()).data, i * 10 + 2);
        assert.equal((await object).value, i);
      }
      for (let k = 0; k < 3; k += 1) assertPattern((await one.recv()).data, 10 + k);
      assert.equal((await one.recvObject()).value, 1);
    }
    await nothingLeft(world);
    await allMeet(world);
  });
});

describe('services of the world', () => {
  rankTest('4. meet no message and no object of any communicator with their tag', 2, async (world) => {
    const comms = await three(world);
    const peer = 1 - world.rank;
    const wild = comms.flatMap((comm) => [comm.irecv(), comm.irecvObject()]);
    const server = world.serve<number, number>(TAG, (value) => value * 2, { maxInFlight: 1 });
    for (let i = 0; i < 20; i += 1) assert.equal(await world.request(peer, TAG, i), 2 * i);
    const sent = comms.flatMap((comm, i) => [
      comm.send(pattern(i, 10), { dest: peer, tag: TAG }),
      comm.sendObject(i, { dest: peer, tag: TAG }),
    ]);
    assert.equal(await world.request(peer, TAG, 50), 100);
    await Promise.all(sent);
    for (const [i] of comms.entries()) {
      assertPattern(((await wild[2 * i]) as { data: Uint8Array }).data, i);
      assert.equal(((await wild[2 * i + 1]) as { value: unknown }).value, i);
    }
    await meet(world);
    await server.close();
  });
});

describe('free()', () => {
  rankTest('5. ends everything that waits for a message, and in no other communicator', 2, async (world) => {
    const [, one, two] = await three(world);
    const begin = (comm: Comm): PromiseLike<unknown>[] => [
      comm.recv(),
      comm.probe(),
      comm.mprobe(),
      comm.messages().next(),
      comm.recvObject(),
      comm.recvInit(new Uint8Array(10)).start(),
      comm.sendrecv(new Uint8Array(1), new Uint8Array(1), { dest: PROC_NULL, source: 1 - comm.rank }),
    ];
    const [ended, kept] = [begin(one), begin(two)];
    one.free();
    for (const waiting of ended) await assert.rejects(async () => waiting, freed);
    for (const again of [() => one.messages(), () => one.recvInit(new Uint8Array(1))]) {
      assert.throws(again, freed);
    }
    await assert.rejects(one.probe(), freed);
    await assert.rejects(one.mprobe(), freed);
    await assert.rejects(one.sendObject(1, { dest: 0 }), freed);
    assert.throws(() => one.improbe(), freed);
    const outcome = await Promise.race([...kept, new Promise((resolve) => setImmediate(resolve, 'none'))]);
    assert.equal(outcome, 'none');
    two.free();
    for (const waiting of kept) await assert.rejects(async () => waiting, freed);
    await nothingLeft(world);
    await allMeet(world);
  });

  rankTest(
    '6. takes what nobody has received, and ends its sends: objects, persistent requests, and all others',
    { ranks: 2, join: { unexpectedBytes: 8_192 } },
    async (world) => {
      for (let round = 0; round < 10; round += 1) {
        const comm = await world.dup();
        if (world.rank === 0) {
          const sent: PromiseLike<unknown>[] = [];
          for (const size of [10, 3_000, ...SIZES]) {
            for (const { give, name } of EXCHANGES)
              if (name !== 'sendrecv') sent.push(give(comm, new Uint8Array(size)));
          }
          await world.send(new Uint8Array(0), { dest: 1 });
          // Whether it is freed here before the other has, or after.
          if (round % 2 === 0) comm.free();
          await Promise.all(sent);
          comm.free();
        } else {
          await world.recv({ source: 0 });
          // Looked at, but not received.
          if (round % 3 === 0) await comm.probe();
          comm.free();
        }
      }
      await nothingLeft(world);
      await allMeet(world);
    },
  );

  rankTest('7. leaves a message that was taken out of matching to who has it', 2, async (world) => {
    const comm = await world.dup();
    if (world.rank === 0) {
      const sent = SIZES.map((size) => comm.isend(pattern(size, size), { dest: 1, tag: size }));
      comm.free();
      await Promise.all(sent);
    } else {
      const taken = await Promise.all(SIZES.map((tag) => comm.mprobe({ tag })));
      comm.free();
      for (const matched of taken) assertPattern((await matched.recv()).data, matched.tag);
    }
    await nothingLeft(world);
    await allMeet(world);
  });
});
