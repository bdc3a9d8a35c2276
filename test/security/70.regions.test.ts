// uintr/sync: regions are one user's.

import { join } from 'node:path';
import { execPath } from 'node:process';
import { Foreigner, noForeignersLeft, OTHER, OWNER, PublicPlace, usersTest } from '../helpers/users.js';

const place = new PublicPlace('regions');

afterEach(noForeignersLeft);

/** A program that does this and stays. */
function program(what: string): string[] {
  const sync = JSON.stringify(join(place.folder, 'dist', 'lib', 'sync.js'));
  return ['-e', `const { SharedRegion } = require(${sync}); ${what}; setInterval(() => {}, 1000);`];
}

usersTest("another user's region cannot be opened by its handle, nor found by its name", async () => {
  const env = { XDG_RUNTIME_DIR: place.directory('runtime', OWNER) };
  const make = "const region = SharedRegion.named('secret'); console.log('is', region.handle)";
  const owner = new Foreigner(OWNER, execPath, program(make), env);
  const handle = (await owner.said('is')).slice(3);
  const attempt = async (user: number, open: string): Promise<string> => {
    const tell = `let told = 'opened'; try { ${open}; } catch ({ code }) { told = code; } console.log('told', told)`;
    return (await new Foreigner(user, execPath, program(tell), env).said('told')).slice(5);
  };
  expect(await attempt(OWNER, `SharedRegion.open('${handle}')`)).toBe('opened');
  expect(await attempt(OTHER, `SharedRegion.open('${handle}')`)).toBe('ERR_UINTR_UNSUPPORTED');
  // Whose directory it is makes it no place for names; there is no other, for want of a home.
  expect(await attempt(OTHER, "SharedRegion.named('secret')")).toBe('ERR_UINTR_UNSUPPORTED');
});
