// Every way to wait for requests. None looks at what came of them: a failed one is done as well.
import { type Request, testAny, testSome, waitAll, waitAny } from '../../lib/index.js';
import { compute } from '../helpers/work.js';
import type { WaitStyle } from './program.js';

/** A receive that was too short for its message is an outcome; anything else is an error. */
function onlyTruncated(error: unknown): void {
  if ((error as { code?: string }).code !== 'ERR_UINTR_TRUNCATED') throw error;
}

function tolerant<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    onlyTruncated(error);
    return undefined;
  }
}

/** Polls one request after the other until each is done. */
function poll(requests: readonly Request<unknown>[], isDone: (request: Request<unknown>) => boolean): void {
  for (const request of requests) while (!isDone(request)) compute(1);
}

function waitBriefly(request: Request<unknown>): void {
  for (;;) {
    try {
      request.wait(1);
      return;
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_UINTR_TIMEOUT') continue;
      onlyTruncated(error);
      return;
    }
  }
}

/** Requests that were awaited on the way; sets of requests skip these. */
export const collected = new WeakSet<Request<unknown>>();

/** Asks for one or some until all were returned or thrown. */
function collect(requests: readonly Request<unknown>[], ask: () => number[]): void {
  const seen = new Set<number>();
  const expected = requests.filter((request) => !collected.has(request)).length;
  let failed = 0;
  while (seen.size + failed < expected) {
    try {
      for (const index of ask()) {
        if (seen.has(index)) throw new Error(`request ${index} was returned twice`);
        seen.add(index);
      }
    } catch (error) {
      onlyTruncated(error);
      failed += 1;
    }
  }
}

export async function waitBy(style: WaitStyle, requests: readonly Request<unknown>[]): Promise<void> {
  const indexOf = (any: { index: number } | undefined): number[] => (any === undefined ? [] : [any.index]);
  switch (style) {
    case 'await':
      for (const request of requests) await request.then(() => {}, onlyTruncated);
      return;
    case 'wait':
      for (const request of requests) tolerant(() => request.wait());
      return;
    case 'waitBriefly':
      for (const request of requests) waitBriefly(request);
      return;
    case 'test':
      return poll(requests, (request) => {
        try {
          return request.test() !== undefined;
        } catch (error) {
          onlyTruncated(error);
          return true;
        }
      });
    case 'done':
      return poll(requests, (request) => request.done);
    case 'promiseAll':
      await Promise.allSettled(requests);
      return;
    case 'waitAll':
      tolerant(() => waitAll(requests));
      return;
    case 'waitAny':
      return collect(requests, () => indexOf(waitAny(requests)));
    case 'testAny':
      return collect(requests, () => indexOf(testAny(requests)));
    case 'testSome':
      return collect(requests, () => testSome(requests).map(({ index }) => index));
  }
}
