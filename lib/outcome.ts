// How the package's own requests end.
import { type Request, takeOutcome, whenOver } from './request.js';
import type { Outcome } from './request-sets.js';

/** Never rejects, and does not keep the process alive as awaiting the request would. */
export function outcomeOf<T>(request: Request<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => whenOver(request, () => resolve(takeOutcome(request))));
}
