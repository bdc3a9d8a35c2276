// World.join: how a process becomes a rank.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { World } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { PACKAGE, uniqueName } from '../helpers/paths.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const inOrder = (results: unknown[]): unknown[] => [...results].sort();

/** Rank and size that a child of this process gets from World.join() without arguments. */
function joinInChild(): unknown {
  const program = `require(${JSON.stringify(PACKAGE)}).World.join().then((world) => {
    console.log(JSON.stringify([world.rank, world.size]));
    return world.close();
  });`;
  return JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }));
}

describe('World.join()', () => {
  rankTest(
    '1. gives each rank of a launcher its own rank and the number of ranks',
    { ranks: 4, via: 'launcher' },
    (world, t) => [world.rank, world.size, t.ranks],
    (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual([0, 1, 2, 3].map((rank) => [rank, 4, 4])),
  );

  processTest('2. without a launcher is a world of size 1', 1, async () => {
    assert.deepEqual(joinInChild(), [0, 1]);
  });

  rankTest('3. does not hand a rank down to the children of a rank', { via: 'launcher' }, (world) => {
    assert.equal(world.size, 2);
    assert.deepEqual(joinInChild(), [0, 1]);
  });

  rankTest('4. tells which driver it really uses', { via: 'launcher', env: { UINTR_DRIVER: 'poll' } }, (world) => {
    assert.equal(world.driver, 'poll');
  });

  rankTest(
    '5. takes an option from the environment, and prefers the one it is called with',
    {
      env: { UINTR_DRIVER: 'poll' },
      join: { driver: 'signal' },
    },
    (world) => {
      assert.equal(world.driver, 'signal');
    },
  );

  rankTest('6. names a way to copy for every rank', 3, (world) => {
    for (let peer = 0; peer < 3; peer += 1) {
      assert.ok(['direct', 'heap', 'cma', 'pipeline'].includes(world.copy(peer)), world.copy(peer));
    }
    assert.equal(world.copy(world.rank), 'direct');
  });

  rankTest('7. uses bounce buffers where it is told to', { env: { UINTR_COPY: 'pipeline' } }, (world) => {
    assert.equal(world.copy(1 - world.rank), 'pipeline');
  });
});

describe('World.join({ name, size })', () => {
  rankTest(
    '8. gives independently started processes the ranks that they ask for',
    { ranks: 3 },
    (world) => [world.rank, world.size],
    (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual([0, 1, 2].map((rank) => [rank, 3])),
  );

  rankTest(
    '9. gives ranks by arrival to those that do not ask: every rank once',
    { ranks: 4, join: { rank: undefined } },
    (world) => world.rank,
    (outcomes) => expect(inOrder(outcomes.map(({ result }) => result))).toEqual([0, 1, 2, 3]),
  );

  processTest(
    '10. gives the others what is left when one asks for its rank',
    { ranks: 3, join: { rank: undefined } },
    async (t) => {
      const world = await t.join(t.rank === 0 ? { rank: 1 } : {});
      await world.close();
      return world.rank;
    },
    (outcomes) => {
      expect(outcomes[0]!.result).toBe(1);
      expect(inOrder(outcomes.map(({ result }) => result))).toEqual([0, 1, 2]);
    },
  );

  processTest('11. with size 1 needs nobody else', 1, async () => {
    await using world = await World.join({ name: uniqueName(), size: 1 });
    assert.deepEqual([world.rank, world.size], [0, 1]);
  });

  processTest('12. can use a name again after everyone has closed', 2, async (t) => {
    const outer = await t.join();
    for (let round = 0; round < 5; round += 1) {
      const world = await t.join({ name: `${t.joinOptions.name}-again` });
      await meet(world);
      await world.close();
      await meet(outer);
    }
    await outer.close();
  });

  processTest('13. can hold several worlds in one process, which do not mix', 2, async (t) => {
    const worlds = [];
    for (const suffix of ['a', 'b', 'c']) worlds.push(await t.join({ name: `${t.joinOptions.name}-${suffix}` }));
    const peer = 1 - t.rank;
    const received = worlds.map((world) => world.irecv(new Uint8Array(1)));
    const sent = worlds.map((world, i) => world.isend(Uint8Array.of(i), { dest: peer }));
    // Received into buffers of their own, hence looked at through a second message each.
    await Promise.all([...received, ...sent]);
    const back = new Uint8Array(1);
    for (const [i, world] of worlds.entries()) {
      await Promise.all([world.send(Uint8Array.of(10 + i), { dest: peer }), world.recv(back)]);
      assert.equal(back[0], 10 + i);
    }
    await Promise.all(worlds.map((world) => world.close()));
  });

  processTest('14. refuses a rank that is taken', 3, async (t) => {
    // Ranks 0 and 1 join a world of two; the third asks for a rank of it while it lives.
    const name = `${t.joinOptions.name}-two`;
    const outer = await t.join();
    if (t.rank < 2) {
      const world = await World.join({ name, size: 2, rank: t.rank });
      await outer.send(new Uint8Array(1), { dest: 2 });
      await outer.recv({ source: 2 });
      await world.close();
    } else {
      await outer.recv({ source: 0 });
      await outer.recv({ source: 1 });
      await assert.rejects(World.join({ name, size: 2, rank: 1, joinTimeout: 5000 }), coded('ERR_UINTR_JOIN'));
      for (const dest of [0, 1]) await outer.send(new Uint8Array(1), { dest });
    }
    await outer.close();
  });

  processTest('15. refuses a joiner that expects another size than the first', 3, async (t) => {
    const outer = await t.join();
    const name = `${t.joinOptions.name}-size`;
    if (t.rank === 2) {
      // A world of three needs this one as well.
      const size = (await outer.recv()).data[0];
      if (size === 3) await (await World.join({ name, size })).close();
    } else {
      const [own, other] = t.rank === 0 ? [2, 3] : [3, 2];
      const world = await World.join({ name, size: own }).catch(async (error) => {
        invalid('size', `${other}`)(error);
        await outer.send(Uint8Array.of(other), { dest: 2 });
        return World.join({ name, size: other });
      });
      assert.ok(world.size === 2 || world.size === 3);
      await world.close();
    }
    await outer.close();
  });

  processTest('16. fails when the others do not come within joinTimeout', 1, async () => {
    await assert.rejects(World.join({ name: uniqueName(), size: 2, joinTimeout: 50 }), coded('ERR_UINTR_JOIN'));
  });

  processTest('17. refuses the same world twice in one thread', 1, async (t) => {
    await using world = await t.join();
    assert.equal(world.size, 1);
    await assert.rejects(t.join({ joinTimeout: 5000 }), coded('ERR_UINTR_JOIN', t.joinOptions.name!));
  });
});

describe('the package', () => {
  processTest('18. is one and the same for import and for require()', 1, () => {
    const program = `
      import { createRequire } from 'node:module';
      import * as imported from ${JSON.stringify(PACKAGE.replace(/\.js$/, '.mjs'))};
      const required = createRequire(import.meta.url)(${JSON.stringify(PACKAGE)});
      const names = Object.keys(required).filter((name) => name !== '__esModule').sort();
      console.log(JSON.stringify([names, names.filter((name) => imported[name] !== required[name])]));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    const [names, different] = JSON.parse(output) as [string[], string[]];
    assert.deepEqual(different, []);
    const promised = ['World', 'Request', 'UintrError', 'waitAll', 'waitAny', 'testAny', 'testSome'];
    for (const name of [...promised, 'ANY_SOURCE', 'ANY_TAG', 'PROC_NULL', 'support'])
      assert.ok(names.includes(name), name);
  });
});
