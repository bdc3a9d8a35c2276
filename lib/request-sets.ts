// Several requests at once (MPI 4.1, 3.7.5).
import { checkTimeout } from './arguments.js';
import { invalidArgument, timeoutError } from './errors.js';
import { collect, coreOf, hasFailed, isActive, isCollected, isRequest, type Request, takeOutcome } from './request.js';

/** How one of several requests ended. */
export type Outcome<T> = { status: 'fulfilled'; value: T } | { status: 'rejected'; reason: unknown };

/** One of several requests, by its place among them, and its value. */
export interface Indexed<T> {
  index: number;
  value: T;
}

type Requests = readonly Request<unknown>[];
type Value<R> = R extends Request<infer T> ? T : never;

// With several worlds none can be slept on for long.
const TURN_MS = 1;

/**
 * Blocks until all are over, and returns their values in order (MPI 4.1, 3.7.5, MPI_Waitall).
 * @param timeoutMs for how long, in milliseconds; for ever if not given
 * @throws when all are over, what the first of them failed with; that error then has all outcomes in `results`, as
 * Promise.allSettled() gives them. ERR_UINTR_TIMEOUT when the time is over: the requests stay as they are. For lack of
 * memory they fail as in {@link Request.wait}.
 */
export function waitAll<const R extends Requests>(
  requests: R,
  timeoutMs?: number,
): { -readonly [K in keyof R]: Value<R[K]> } {
  const limit = checkTimeout(timeoutMs);
  const end = limit === Number.POSITIVE_INFINITY ? limit : performance.now() + limit;
  // Of those that are active still, which become ever fewer.
  let inOneWorld = false;
  for (const request of checkRequests(requests)) {
    if (!isActive(request)) continue;
    const left = limit === Number.POSITIVE_INFINITY ? limit : Math.max(0, end - performance.now());
    inOneWorld ||= requests.every((other) => !isActive(other) || coreOf(other) === coreOf(request));
    const over = inOneWorld ? coreOf(request).waitUntil(request, left) : waitInTurns(request, requests, left);
    if (!over) throw timeoutError(limit, 'waitAll()');
  }
  const values: unknown[] = [];
  for (const request of requests) {
    if (hasFailed(request)) throw withResults(requests.map((one) => takeOutcome(one)));
    values.push(collect(request));
  }
  return values as { -readonly [K in keyof R]: Value<R[K]> };
}

/** What the first that failed failed with. */
function withResults(outcomes: Outcome<unknown>[]): unknown {
  const { reason } = outcomes.find((outcome) => outcome.status === 'rejected')!;
  if (typeof reason === 'object' && reason !== null && Object.isExtensible(reason)) {
    Object.defineProperty(reason, 'results', { value: outcomes, configurable: true, writable: true });
  }
  return reason;
}

/**
 * As Core.waitUntil(), and moves what is under way in the worlds of the others: it may be what the request waits for, by
 * way of another rank.
 */
function waitInTurns(request: Request<unknown>, all: Requests, limit: number): boolean {
  const core = coreOf(request);
  const end = performance.now() + limit;
  for (;;) {
    const left = Math.max(0, end - performance.now());
    const cores = new Set(all.filter(isActive).map(coreOf));
    if (cores.size === 1) return core.waitUntil(request, left);
    for (const one of cores) one.waitSlice(Math.min(left, TURN_MS));
    if (!isActive(request) || core.giveUp(request)) return true;
    if (left === 0) return false;
  }
}

/**
 * Blocks until one is over that was not collected yet (by await, wait, test, waitAll, waitAny, testAny or testSome), and
 * returns it; undefined if all were collected (MPI 4.1, 3.7.5, MPI_Waitany).
 * @param timeoutMs for how long, in milliseconds; for ever if not given
 * @throws what it failed with; ERR_UINTR_TIMEOUT when the time is over. For lack of memory one fails at a time, as in
 * {@link Request.wait}.
 */
export function waitAny<T>(requests: readonly Request<T>[], timeoutMs?: number): Indexed<T> | undefined {
  const limit = checkTimeout(timeoutMs);
  const end = performance.now() + limit;
  checkRequests(requests);
  for (;;) {
    const found = takeFirst(requests);
    if (found !== undefined) return found;
    const active = requests.filter(isActive);
    if (active.length === 0) return undefined;
    const cores = new Set(active.map(coreOf));
    const left = end - performance.now();
    if (left < 0) throw timeoutError(limit, 'waitAny()');
    for (const core of cores) core.waitSlice(cores.size === 1 ? left : Math.min(left, TURN_MS));
    if (active.every(isActive)) active.some((request) => coreOf(request).giveUp(request));
  }
}

/**
 * One that is over and was not collected yet, or undefined; never blocks (MPI 4.1, 3.7.5, MPI_Testany). Asking makes
 * progress.
 * @throws what it failed with
 */
export function testAny<T>(requests: readonly Request<T>[]): Indexed<T> | undefined {
  progress(checkRequests(requests));
  return takeFirst(requests);
}

/**
 * All that are over and were not collected yet; never blocks (MPI 4.1, 3.7.5, MPI_Testsome). Asking makes progress.
 * @throws what one failed with. No value is lost by that: those before it are returned, and it is thrown by the next
 * call.
 */
export function testSome<T>(requests: readonly Request<T>[]): Indexed<T>[] {
  progress(checkRequests(requests));
  const found: Indexed<T>[] = [];
  for (const [index, request] of requests.entries()) {
    if (isActive(request) || isCollected(request)) continue;
    if (found.length > 0 && hasFailed(request)) break;
    found.push({ index, value: collect(request) });
  }
  return found;
}

function takeFirst<T>(requests: readonly Request<T>[]): Indexed<T> | undefined {
  for (const [index, request] of requests.entries()) {
    if (!isActive(request) && !isCollected(request)) return { index, value: collect(request) };
  }
  return undefined;
}

function progress(requests: Requests): void {
  for (const core of new Set(requests.filter(isActive).map(coreOf))) core.progress();
}

function checkRequests(requests: Requests): Requests {
  if (!Array.isArray(requests)) throw invalidArgument('requests', 'an array of requests', requests);
  for (let i = 0; i < requests.length; i += 1) {
    if (!isRequest(requests[i])) throw invalidArgument(`requests[${i}]`, 'a Request', requests[i]);
  }
  return requests;
}
