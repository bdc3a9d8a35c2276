// A handler's error on its way to who asked.
import { types } from 'node:util';
import { UintrError } from './errors.js';

/** What is sent instead of an answer. */
export interface ErrorText {
  name: string;
  message: string;
  stack: string;
  code?: string | number;
}

/** Whatever was thrown; it may even throw when it is looked at. */
export function describeError(thrown: unknown): ErrorText {
  try {
    if (!isError(thrown)) return { name: 'Error', message: String(thrown), stack: '' };
    const { name, message, stack = '', code } = thrown as Error & { code?: unknown };
    const text = { name: String(name), message: String(message), stack: String(stack) };
    return typeof code === 'string' || typeof code === 'number' ? { ...text, code } : text;
  } catch {
    return { name: 'Error', message: 'what was thrown cannot be shown', stack: '' };
  }
}

// Of any realm, and DOMExceptions.
function isError(value: unknown): boolean {
  return value instanceof Error || types.isNativeError(value);
}

/** The error that who asked gets: its `stack` is the handler's. */
export function remoteError(value: unknown, rank: number, peer: number): Error {
  const given = typeof value === 'object' && value !== null ? value : {};
  const { name, message, stack, code }: Partial<ErrorText> = given;
  if (typeof name !== 'string' || typeof message !== 'string' || typeof stack !== 'string') {
    return new UintrError('ERR_UINTR_PROTOCOL', `rank ${peer} sent an error that is none`, { rank, peer });
  }
  const error = new Error(message);
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(error, 'name', { value: name, ...hidden });
  if (stack !== '') Object.defineProperty(error, 'stack', { value: stack, ...hidden });
  if (code !== undefined) Object.assign(error, { code });
  return error;
}
