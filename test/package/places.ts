// Where the build leaves what these tests look at.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The package's root, seen from dist/test/package. */
export const root = resolve(__dirname, '..', '..', '..');

/** The archive of everything that interrupt handlers can reach, but reductions. */
export const engineArchive = join(root, 'build', 'Release', 'uintr_engine.a');

/** The archive of reductions, which handlers reach through its stub. */
export const reductionArchive = join(root, 'build', 'Release', 'uintr_reduction.a');

/** The one binary that the package ships. */
export function shippedBinary(): string {
  const folder = join(root, 'prebuilds', 'linux-x64');
  const names = readdirSync(folder).filter((name) => name.endsWith('.node'));
  if (names.length !== 1) throw new Error(`expected one binary in ${folder}, found: ${names.join(', ') || 'none'}`);
  return join(folder, names[0]);
}
