// Where things lie once compiled: this file is dist/test/helpers/paths.js.
import { join, resolve } from 'node:path';

/** The repository. */
export const ROOT = resolve(__dirname, '..', '..', '..');

/** The command `uintr`. */
export const CLI = join(ROOT, 'dist', 'lib', 'cli', 'main.js');

/** The package, as an absolute path for programs that are not compiled with it. */
export const PACKAGE = join(ROOT, 'dist', 'lib', 'index.js');

/** What runs the body of a rank test in a process of its own. */
export const RANK_MAIN = join(__dirname, 'rank-main.js');

/** The emulator of user interrupts (test/emulator), to be preloaded. */
export const EMULATOR = join(ROOT, 'build', 'emulator', 'libuintr-emulator.so');

let names = 0;

/** A world name that no other test has, nor had. */
export function uniqueName(): string {
  names += 1;
  return `test-${process.pid}-${Date.now().toString(36)}-${names}`;
}
