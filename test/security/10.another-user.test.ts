// What another user can do to a world: nothing. What the same user can do by the same means, to show that they would work.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { Foreigner, noForeignersLeft, OTHER, OWNER, PublicPlace, usersTest } from '../helpers/users.js';

const place = new PublicPlace('security');
const intruder = place.compile('intruder');
const NAME = 'secret';

afterEach(noForeignersLeft);

interface World {
  ranks: Foreigner[];
  runtime: string;
  /** What the intruder is told of rank 0: more than it could find out. */
  target: string[];
}

let worlds = 0;

/** Two processes of OWNER that exchange messages. */
async function world(): Promise<World> {
  worlds += 1;
  // Open to the eyes of others, so that it is the package's own directory that keeps them out.
  const runtime = place.directory(`runtime-${worlds}`, OWNER, 0o755);
  const ranks = [0, 1].map((rank) => {
    const options = JSON.stringify({ name: NAME, size: 2, rank });
    const program = [join(place.fixtures, 'exchange.js'), options];
    return new Foreigner(OWNER, process.execPath, program, { XDG_RUNTIME_DIR: runtime });
  });
  await Promise.all(ranks.map((rank) => rank.said('joined')));
  const { pid } = ranks[0]!.child;
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  const own = maps.find((line) => line.includes('/memfd:uintr-control') && line.includes(' rw-s '))!;
  const fds = readdirSync(`/proc/${pid}/fd`);
  const fd = fds.find((one) => readlinkSync(`/proc/${pid}/fd/${one}`).startsWith('/memfd:uintr-control'))!;
  return { ranks, runtime, target: [`${pid}`, own.split('-')[0]!, fd, join(runtime, 'uintr'), NAME] };
}

/** The ranks go on, look at every byte, and end as they would have. */
async function isWhole({ ranks }: World): Promise<void> {
  ranks[0]!.child.stdin!.end();
  for (const rank of ranks) {
    const { code, signal, lines } = await rank.ended();
    expect({ code, signal, last: lines.at(-1) }).toEqual({ code: 0, signal: null, last: 'whole' });
  }
}

/** What came of each attempt: the name of an error, or 'done'. */
async function attempts(user: number, args: string[]): Promise<Record<string, string>> {
  const { code, lines } = await new Foreigner(user, intruder, args).ended();
  expect(code).toBe(0);
  return Object.fromEntries(
    lines.map((line) => {
      const [attempt, failed] = line.split(' ');
      return [attempt, failed === '0' ? 'done' : getSystemErrorName(-Number(failed))];
    }),
  );
}

const namesOf = (results: Record<string, string>, result: string): string[] =>
  Object.keys(results).filter((attempt) => results[attempt] === result);

describe('another user', () => {
  usersTest(
    '1. neither reaches the name, nor the memory, nor the descriptors of a rank, nor sends it a signal',
    async () => {
      const ours = await world();
      const all = Array.from({ length: 65 }, (_, number) => `${number}`);
      const results = await attempts(OTHER, [...ours.target, ...all, 'io']);
      expect(namesOf(results, 'done')).toEqual([]);
      expect(new Set(Object.values(results))).toEqual(new Set(['EACCES', 'EPERM']));
      expect(Object.keys(results).length).toBe(4 + 8 + 3 + 5 * 65);
      await isWhole(ours);
    },
  );

  usersTest('2. cannot join by the package either, and says whose world it is', async () => {
    const ours = await world();
    const joins = [join(place.fixtures, 'joins.js'), JSON.stringify({ name: NAME, size: 2, joinTimeout: 2000 })];
    const elsewhere = { HOME: place.directory('home-of-owner', OWNER, 0o755) };
    // His variable leads to the other's directory, as after `su` or `sudo`.
    const led = new Foreigner(OTHER, process.execPath, joins, { ...elsewhere, XDG_RUNTIME_DIR: ours.runtime });
    const { lines } = await led.ended();
    expect(lines).toEqual([expect.stringMatching(/^ERR_UINTR_JOIN .*home-of-owner.*EACCES/)]);
    await isWhole(ours);
  });

  usersTest('3. has a world of the same name by himself', async () => {
    const ours = await world();
    const joins = [join(place.fixtures, 'joins.js'), JSON.stringify({ name: NAME, size: 1 })];
    const his = new Foreigner(OTHER, process.execPath, joins, {
      HOME: place.directory('home-of-other', OTHER),
      XDG_RUNTIME_DIR: ours.runtime,
    });
    expect((await his.ended()).lines).toEqual(['joined 0 of 1']);
    await isWhole(ours);
  });
});

describe('the same user', () => {
  usersTest('4. can do what another cannot, by the same means; its stray SIGURG is harmless', async () => {
    const ours = await world();
    const results = await attempts(OWNER, [...ours.target, '0', `${constants.signals.SIGURG}`]);
    const failed = Object.keys(results).filter((attempt) => results[attempt] !== 'done');
    // Where Yama is, a process that is no child may copy, because the rank has said so, and that is tracing.
    expect(failed).toEqual([]);
    await isWhole(ours);
  });
});
