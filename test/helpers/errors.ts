// How errors are looked at: by code, because a class of another realm is not ours.
import { strict as assert } from 'node:assert';

interface Coded extends Error {
  code?: string;
}

/** For assert.throws and assert.rejects: an error with this code whose message has all these parts. */
export function coded(code: string, ...parts: (string | RegExp)[]): (error: unknown) => true {
  return (error) => {
    const { code: found, message } = error as Coded;
    assert.equal(found, code, `expected ${code}, got ${found}: ${message}`);
    for (const part of parts) {
      const has = typeof part === 'string' ? message.includes(part) : part.test(message);
      assert.ok(has, `"${message}" does not name ${part}`);
    }
    return true;
  };
}

/** For assert.throws: a bad argument, named with its value. */
export function invalid(name: string, value?: string): (error: unknown) => true {
  return coded('ERR_UINTR_INVALID_ARGUMENT', name, ...(value === undefined ? [] : [value]));
}

/** For assert.rejects: `peer` is gone for this reason. */
export function peerExited(peer: number, cause: 'closed' | 'exited' | 'killed'): (error: unknown) => true {
  return (error) => {
    coded('ERR_UINTR_PEER_EXITED')(error);
    const { peer: foundPeer, cause: foundCause } = error as { peer?: number; cause?: unknown };
    assert.deepEqual({ peer: foundPeer, cause: foundCause }, { peer, cause });
    return true;
  };
}

/** For assert.rejects: it was cancelled. */
export function cancelled(error: unknown): true {
  assert.equal((error as Error).name, 'AbortError');
  assert.equal((error as Coded).code, 'ABORT_ERR');
  return true;
}
