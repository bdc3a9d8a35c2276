// Names of worlds where another user was first: he can block none where only their user can write, and elsewhere what he
// has made is neither used nor followed, and the error says what to do.
import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Foreigner, noForeignersLeft, OTHER, OWNER, PublicPlace, usersTest } from '../helpers/users.js';

const place = new PublicPlace('names');
const NAME = 'wanted';

afterEach(noForeignersLeft);

/** What OWNER hears who joins a world of one. */
async function joins(env: NodeJS.ProcessEnv): Promise<string> {
  const program = [join(place.fixtures, 'joins.js'), JSON.stringify({ name: NAME, size: 1 })];
  const { lines } = await new Foreigner(OWNER, process.execPath, program, env).ended();
  return lines.join('\n');
}

/** As OTHER, what a shell does with it: its exit code. */
async function shell(command: string): Promise<number | null> {
  return (await new Foreigner(OTHER, '/bin/sh', ['-c', command])).ended().then(({ code }) => code);
}

/** A directory in which everybody may make files, as in /tmp. */
const shared = (name: string): string => place.directory(name, 0, 0o1777);

/** What another user can leave at the place of the directory, and what the error says of it. */
const LEFT: [string, (path: string, folder: string) => void, string][] = [
  ['a directory', (path) => mkdirSync(path), `belongs to user ${OTHER}, this is user ${OWNER}: remove it`],
  [
    'a directory that is open to all, with the files of the name',
    (path) => {
      mkdirSync(path);
      for (const file of [`${NAME}.lock`, `${NAME}.sock`]) writeFileSync(join(path, file), '');
      chmodSync(path, 0o777);
    },
    `belongs to user ${OTHER}, this is user ${OWNER}: remove it`,
  ],
  ['a file', (path) => writeFileSync(path, ''), `belongs to user ${OTHER}, this is user ${OWNER}: remove it`],
  [
    'a link to a directory of his',
    (path, folder) => {
      mkdirSync(join(folder, 'his'), 0o777);
      chmodSync(join(folder, 'his'), 0o777);
      symlinkSync(join(folder, 'his'), path);
    },
    `belongs to user ${OTHER}, this is user ${OWNER}: remove it`,
  ],
  [
    "a link to a directory of the user's own",
    (path, folder) => {
      mkdirSync(join(folder, 'own'), 0o700);
      chownSync(join(folder, 'own'), OWNER, OWNER);
      symlinkSync(join(folder, 'own'), path);
    },
    `belongs to user ${OTHER}, this is user ${OWNER}: remove it`,
  ],
];

describe('where only their user can write', () => {
  usersTest('1. nobody else makes, removes or replaces what a name needs', async () => {
    const home = place.directory('home', OWNER, 0o755);
    expect(await joins({ HOME: home })).toBe('joined 0 of 1');
    const names = join(home, '.uintr');
    for (const command of [
      `mkdir ${home}/uintr`,
      `: > ${names}/${NAME}.lock`,
      `ln -s /tmp/elsewhere ${names}/${NAME}.sock`,
      `mv ${names} ${home}/moved`,
      `rmdir ${names}`,
      `ls ${names}`,
    ]) {
      expect([command, await shell(`${command} 2>&1`)]).not.toEqual([command, 0]);
    }
    expect(await joins({ HOME: home })).toBe('joined 0 of 1');
    expect(readdirSync(names)).toEqual([]);
  });

  usersTest('2. a session directory that others can write to, or that is not his, is passed over', async () => {
    const home = place.directory('home-beside', OWNER);
    for (const session of [
      shared('open'),
      place.directory('wide', OWNER, 0o777),
      place.directory('his', OTHER, 0o755),
    ]) {
      expect(await joins({ HOME: home, XDG_RUNTIME_DIR: session })).toBe('joined 0 of 1');
      expect(readdirSync(session)).toEqual([]);
    }
  });
});

describe('where another user can write', () => {
  for (const [i, [what, leave, said]] of LEFT.entries()) {
    usersTest(`3. ${what} is not used, the error says what to do, and that helps`, async () => {
      const folder = shared(`shared-${i}`);
      const path = join(folder, '.uintr');
      leave(path, folder);
      lchownSync(path, OTHER, OTHER);
      const before = readdirSync(folder, { recursive: true });
      const heard = await joins({ HOME: folder });
      expect(heard).toContain(`ERR_UINTR_JOIN ${path} ${said}`);
      expect(heard).toContain('set XDG_RUNTIME_DIR');
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
      const own = place.directory(`own-${i}`, OWNER);
      expect(await joins({ HOME: folder, XDG_RUNTIME_DIR: own })).toBe('joined 0 of 1');
    });
  }
});
