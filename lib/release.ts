// The end of a communicator. Its ranks free it one by one; what is still sent to one that has is taken by a sink. When
// rank 0 has heard from everybody that he has freed it and that his sends are done, it says so, and all that was ever sent
// is there: the sinks take the last of it and go. When rank 0 has heard of that, too, its id can be used again.
import { PURPOSES, Purpose } from './context.js';
import { readStatus } from './core.js';
import { outcomeOf } from './outcome.js';
import type { Request } from './request.js';
import type { Scope } from './scope.js';
import { drain, Sink } from './sink.js';

// In the communicator's own management context, above those of dup and split (derive.ts, derive-halfway.ts).
const FREED = 2 ** 30;
const ALL_FREED = FREED + 1;
const GONE = FREED + 2;

// What programs send, and wait to be received.
const SUNK = [Purpose.PointToPoint, Purpose.Object, Purpose.ObjectParts];

const NOTHING = new Uint8Array(0);

/** Never rejects. If rank 0 dies meanwhile, the sinks stay, for somebody may still send. */
export async function release(scope: Scope): Promise<void> {
  try {
    const sinks = SUNK.map((purpose) => new Sink(scope.core, scope.contextOf(purpose)));
    if (scope.group.rank === 0) await lead(scope, sinks);
    else await follow(scope, sinks);
  } catch {
    // No request is left for this; or the world is closed, which ends everything.
  }
}

async function follow(scope: Scope, sinks: readonly Sink[]): Promise<void> {
  await scope.idle();
  const all = receive(scope, 0, ALL_FREED);
  send(scope, 0, FREED);
  if ((await outcomeOf(all)).status === 'rejected') return;
  remove(scope, sinks);
  send(scope, 0, GONE);
}

async function lead(scope: Scope, sinks: readonly Sink[]): Promise<void> {
  const freed = await heard(scope, FREED);
  await scope.idle();
  tell(scope, ALL_FREED);
  const gone = heard(scope, GONE);
  remove(scope, sinks);
  // Of a rank that was killed something may still turn up, and a dup() that failed may still have receives posted.
  if ((await gone) && freed && !scope.hasFailed) scope.core.ids.give(scope.id);
}

function remove(scope: Scope, sinks: readonly Sink[]): void {
  for (const sink of sinks) sink.stop();
  for (const purpose of PURPOSES) {
    if (purpose !== Purpose.Management) drain(scope.core, scope.contextOf(purpose));
  }
  scope.core.scopes.delete(scope.id);
}

/** Every other rank has said so; false if one is gone without. */
async function heard(scope: Scope, tag: number): Promise<boolean> {
  const receives = others(scope).map((rank) => receive(scope, rank, tag));
  const outcomes = await Promise.all(receives.map(outcomeOf));
  return outcomes.every(({ status }) => status === 'fulfilled');
}

function tell(scope: Scope, tag: number): void {
  for (const rank of others(scope)) send(scope, rank, tag);
}

function others({ group }: Scope): number[] {
  return Array.from({ length: group.size - 1 }, (_, i) => i + 1);
}

function receive(scope: Scope, rank: number, tag: number): Request<unknown> {
  const context = scope.contextOf(Purpose.Management);
  return scope.core.postRecv(readStatus, NOTHING, scope.group.toWorld(rank), tag, context, undefined);
}

function send(scope: Scope, rank: number, tag: number): void {
  const context = scope.contextOf(Purpose.Management);
  scope.core.postSend(NOTHING, scope.group.toWorld(rank), tag, context, 0, undefined);
}
