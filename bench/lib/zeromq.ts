// The npm package zeromq, if the user has installed it: no dependency of this one.
import { readFileSync } from 'node:fs';

/** Of zeromq 6, what is used here. */
export interface Zeromq {
  Pair: new () => Socket;
}
export interface Socket extends AsyncIterable<Uint8Array[]> {
  bind(address: string): Promise<void>;
  connect(address: string): void;
  /** One at a time. */
  send(message: Uint8Array): Promise<void>;
  close(): void;
}

/** As `require` would find it from here, or from where the command was called. */
function resolve(request: string): string | undefined {
  try {
    return require.resolve(request, { paths: [__dirname, process.cwd()] });
  } catch {
    return undefined;
  }
}

/** Why it cannot be used, or undefined. */
export function whyNoZeromq(): string | undefined {
  const version = zeromqVersion();
  if (version === undefined) return 'zeromq: not installed (npm install zeromq@6)';
  return version.startsWith('6.') ? undefined : `zeromq: ${version} is installed (npm install zeromq@6)`;
}

export function zeromqVersion(): string | undefined {
  const path = resolve('zeromq/package.json');
  return path && (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

export function loadZeromq(): Zeromq {
  return require(resolve('zeromq')!) as Zeromq;
}
