// The npm package zeromq, if the user has installed it: no dependency of this one.
import { resolveOptional, versionOf, whyNot } from './optional.js';

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

/** Why it cannot be used, or undefined. */
export function whyNoZeromq(): string | undefined {
  return whyNot('zeromq', 6);
}

export function zeromqVersion(): string | undefined {
  return versionOf('zeromq');
}

export function loadZeromq(): Zeromq {
  return require(resolveOptional('zeromq')!) as Zeromq;
}
