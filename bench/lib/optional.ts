// Packages that the user may have installed: no dependencies of this one.
import { readFileSync } from 'node:fs';

/** As `require` would find it from here, or from where the command was called; undefined if it is not there. */
export function resolveOptional(request: string): string | undefined {
  try {
    return require.resolve(request, { paths: [__dirname, process.cwd()] });
  } catch {
    return undefined;
  }
}

export function versionOf(name: string): string | undefined {
  const path = resolveOptional(`${name}/package.json`);
  return path && (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** Why a major version of it cannot be used, or undefined. */
export function whyNot(name: string, major: number): string | undefined {
  const version = versionOf(name);
  if (version?.startsWith(`${major}.`)) return undefined;
  return `${name}: ${version === undefined ? 'not' : `${version} is`} installed (npm install ${name}@${major})`;
}
