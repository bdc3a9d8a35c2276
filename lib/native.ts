// Finds and loads the addon. Nothing here throws: importing the package has to work where the addon cannot, and
// support() passes the reason on.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The addon as it was loaded (`binding.ts` has its types), or the reason why it was not. */
export type NativeResult = { addon: unknown } | { reason: string };

let loaded: NativeResult | undefined;

/**
 * Loads the addon once per JavaScript thread.
 *
 * The prebuilt binary of the package comes first; `build/Release` is where `node-gyp` alone leaves one.
 */
export function loadNative(): NativeResult {
  loaded ??= load();
  return loaded;
}

function load(): NativeResult {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `uintr needs Linux on x64; this is ${process.platform} on ${process.arch}` };
  }
  // From dist/lib, where this file is compiled to.
  const root = resolve(__dirname, '..', '..');
  const candidates = [...prebuilt(join(root, 'prebuilds', 'linux-x64')), join(root, 'build', 'Release', 'uintr.node')];
  const failures: string[] = [];
  for (const file of candidates) {
    if (!existsSync(file)) continue;
    try {
      return { addon: require(file) };
    } catch (error) {
      failures.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failures.length > 0) return { reason: `the addon does not load: ${failures.join('; ')}` };
  return {
    reason: `no addon found; looked for ${join(root, 'prebuilds', 'linux-x64', '*.node')} and ${candidates.at(-1)}`,
  };
}

function prebuilt(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.node'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
