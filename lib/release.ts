// The end of a communicator. Its ranks free it one by one; what is still sent to one that has is taken by a sink. When
// rank 0 has heard from everybody that he has freed it and that his sends are done, it says so, and all that was ever sent
// is there: the sinks take the last of it and go. When rank 0 has heard of that, too, its id can be used again.
import { PURPOSES, Purpose } from './context.js';
import { readStatus } from './core.js';
import { postOrLater } from './repeated.js';
import { takeOutcome, whenOver } from './request.js';
import type { Scope } from './scope.js';
import { drain } from './sink.js';

// In the communicator's own management context, above those of dup and split (derive.ts, derive-halfway.ts).
const FREED = 2 ** 30;
const ALL_FREED = FREED + 1;
const GONE = FREED + 2;

// What programs send, and wait to be received.
const SUNK = [Purpose.PointToPoint, Purpose.Object, Purpose.ObjectParts];
// Where collective operations that are under way receive until they are done.
const SUNK_WHEN_IDLE = [Purpose.Collective, Purpose.Revoke];

const NOTHING = new Uint8Array(0);

/** Never rejects. If rank 0 dies meanwhile, the sinks stay, for somebody may still send. */
export async function release(scope: Scope): Promise<void> {
  for (const purpose of SUNK) scope.sink(purpose);
  if (scope.group.rank === 0) await lead(scope);
  else await follow(scope);
}

async function follow(scope: Scope): Promise<void> {
  await idle(scope);
  const all = heardFrom(scope, 0, ALL_FREED);
  send(scope, 0, FREED);
  if (!(await all)) return;
  remove(scope);
  send(scope, 0, GONE);
}

async function lead(scope: Scope): Promise<void> {
  const quiet = idle(scope);
  const freed = await heard(scope, FREED);
  await quiet;
  tell(scope, ALL_FREED);
  const gone = heard(scope, GONE);
  remove(scope);
  // Of a rank that was killed something may still turn up, and a dup() that failed may still have receives posted.
  if ((await gone) && freed && !scope.hasFailed) scope.core.ids.give(scope.id);
}

async function idle(scope: Scope): Promise<void> {
  await scope.idle();
  for (const purpose of SUNK_WHEN_IDLE) scope.sink(purpose);
}

function remove(scope: Scope): void {
  // What is left of it then is a matter of leftovers.ts.
  if (scope.isOutdated) return;
  scope.stopSinks();
  for (const purpose of PURPOSES) {
    if (purpose !== Purpose.Management) drain(scope.core, scope.contextOf(purpose));
  }
  scope.core.scopes.delete(scope.id);
}

/** Every other rank has said so; false if one is gone without. */
async function heard(scope: Scope, tag: number): Promise<boolean> {
  const said = await Promise.all(others(scope).map((rank) => heardFrom(scope, rank, tag)));
  return said.every(Boolean);
}

function tell(scope: Scope, tag: number): void {
  for (const rank of others(scope)) send(scope, rank, tag);
}

function others({ group }: Scope): number[] {
  return Array.from({ length: group.size - 1 }, (_, i) => i + 1);
}

/** False: that rank is gone, a member has come back, which knows nothing of this, or the own world closed. */
function heardFrom(scope: Scope, rank: number, tag: number): Promise<boolean> {
  const { core, group } = scope;
  const context = scope.contextOf(Purpose.Management);
  return new Promise((resolve) => {
    const receive = (): void => {
      if (scope.isOutdated) {
        resolve(false);
        return;
      }
      const request = core.postRecv(readStatus, NOTHING, group.toWorld(rank), tag, context, undefined);
      core.untilReturn({ group, name: scope.name }, request);
      whenOver(request, () => resolve(takeOutcome(request).status === 'fulfilled'));
    };
    postOrLater(core, receive, () => resolve(false));
  });
}

function send(scope: Scope, rank: number, tag: number): void {
  const { core, group } = scope;
  const context = scope.contextOf(Purpose.Management);
  postOrLater(core, () => {
    if (!scope.isOutdated) core.postSend(NOTHING, group.toWorld(rank), tag, context, 0, undefined);
  });
}
