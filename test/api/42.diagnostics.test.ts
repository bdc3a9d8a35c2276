// What the package publishes by node:diagnostics_channel.
import { strict as assert } from 'node:assert';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ANY_TAG, type Request, UintrError, type World } from '../../lib/index.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet, nextPeerExit } from '../helpers/worlds.js';

interface Payload {
  world?: World;
  rank?: number;
  request?: Request<unknown>;
  error?: unknown;
}

/** What is published on these channels from now on; `end` of listening. */
function listen(...names: string[]): { heard: [string, Payload][]; end: () => void } {
  const heard: [string, Payload][] = [];
  const listener: ChannelListener = (payload, name) => heard.push([String(name), payload as Payload]);
  for (const name of names) subscribe(name, listener);
  return { heard, end: () => names.forEach((name) => void unsubscribe(name, listener)) };
}

describe('diagnostics channels', () => {
  processTest('1. tell of joining, of the exit of a peer, and of leaving', 2, async (t) => {
    const { heard } = listen('uintr:join', 'uintr:peer-exit', 'uintr:close');
    const world = await t.join();
    await meet(world);
    const expected: [string, Payload][] = [['uintr:join', { world }]];
    if (t.rank === 0) {
      const { cause } = await nextPeerExit(world);
      expected.push(['uintr:peer-exit', { world, rank: 1, cause } as Payload]);
    }
    await world.close();
    expected.push(['uintr:close', { world }]);
    assert.deepEqual(heard, expected);
    assert.equal(heard[0]?.[1].world, world);
  });

  rankTest('2. tell of each operation, and of its end', 2, async (world, t) => {
    await meet(world);
    const { heard, end } = listen('uintr:request', 'uintr:settle');
    const [rank, peer] = [t.rank, 1 - t.rank];
    // By rendezvous, so that it is not over when it is posted.
    const request =
      rank === 0
        ? world.isend(new Uint8Array(1_000_000), { dest: peer, tag: 3 })
        : world.irecv(new Uint8Array(1_000_000), { source: peer });
    await request;
    const posted = rank === 0 ? { kind: 'send', tag: 3 } : { kind: 'receive', tag: ANY_TAG };
    assert.deepEqual(heard, [
      ['uintr:request', { rank, request, ...posted, peer, context: 0, byteLength: 1_000_000 }],
      ['uintr:settle', { rank, request, error: undefined }],
    ]);
    assert.equal(heard[0]?.[1].request, request);
    end();
    await meet(world);
    assert.equal(heard.length, 2);
  });

  rankTest('3. tell what an operation has failed with', 1, async (world) => {
    const { heard } = listen('uintr:settle');
    const begun = listen('uintr:request').heard;
    world.irecv(new Uint8Array(1)).cancel();
    const send = world.isend(new Uint8Array(10), { dest: 0 });
    const receive = world.irecv(new Uint8Array(1), { source: 0 });
    await Promise.allSettled([send, receive]);
    const failures = heard.map(([, { error }]) => (error instanceof UintrError ? error.code : (error as Error)?.name));
    assert.deepEqual(failures.sort(), ['AbortError', 'ERR_UINTR_TRUNCATED', undefined]);
    // Of each its beginning, too.
    const ended = new Set(heard.map(([, { request }]) => request));
    assert.equal(begun.filter(([, { request }]) => ended.has(request)).length, heard.length);
  });

  rankTest('4. tell nothing of what was refused', 1, (world) => {
    const { heard } = listen('uintr:request', 'uintr:settle');
    assert.throws(() => world.isend(new Uint8Array(1), { dest: 1 }));
    assert.deepEqual(heard, []);
  });

  rankTest('5. may look at requests, and post some, when they are told', 2, async (world, t) => {
    await meet(world);
    const peer = 1 - t.rank;
    const seen: Request<unknown>[] = [];
    let inside = false;
    const listener: ChannelListener = (payload) => {
      if (inside) return;
      inside = true;
      const { request } = payload as { request: Request<unknown> };
      // Asking makes progress, which may end it.
      for (const one of [...seen, request]) void one.done;
      seen.push(request);
      world.isend(new Uint8Array(7), { dest: t.rank, tag: 9 });
      assert.equal(world.irecv(new Uint8Array(7), { source: t.rank, tag: 9 }).wait().byteLength, 7);
      inside = false;
    };
    for (const name of ['uintr:request', 'uintr:settle']) subscribe(name, listener);
    for (const size of [10, 500_000]) {
      const receives = Array.from({ length: 70 }, () => world.irecv(new Uint8Array(size), { source: peer, tag: 3 }));
      const sends = Array.from({ length: 70 }, () => world.isend(new Uint8Array(size), { dest: peer, tag: 3 }));
      const statuses = await Promise.all([...receives, ...sends]);
      const expected = (source: number): object => ({ source, tag: 3, byteLength: size });
      assert.deepEqual(statuses, [...receives.map(() => expected(peer)), ...sends.map(() => expected(t.rank))]);
    }
    for (const name of ['uintr:request', 'uintr:settle']) unsubscribe(name, listener);
    await meet(world);
  });

  rankTest('6. tell where a message comes from that a probe has taken', 2, async (world, t) => {
    const comm = await world.split(0, -t.rank);
    const { heard, end } = listen('uintr:request');
    const [peer, tag] = [1 - comm!.rank, 5];
    const sent = comm!.isend(new Uint8Array(9), { dest: peer, tag });
    const matched = await comm!.mprobe({ source: peer });
    // Something else that the addon is asked.
    world.iprobe({ source: t.rank, tag: 1 });
    const receive = matched.irecv(new Uint8Array(10));
    await receive;
    end();
    const told = heard.map(([, payload]) => payload).filter(({ request }) => request === receive || request === sent);
    const [send, receipt] = told as { context?: number }[];
    assert.deepEqual(receipt, {
      ...{ rank: t.rank, request: receive, kind: 'receive', peer: 1 - t.rank, tag },
      ...{ context: send?.context, byteLength: 10 },
    });
  });
});
