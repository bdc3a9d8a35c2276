// When rank 0 dies in the middle of its answers to dup or split: those who have not got theirs tell all others, for there
// may be some that have, and would wait in the new communicator for ranks that know nothing of it.
import { ANY_SOURCE } from './constants.js';
import { contextOfPurpose, Purpose } from './context.js';
import { readStatus } from './core.js';
import type { Parent } from './derive.js';
import { type ExitCause, UintrError } from './errors.js';
import { outcomeOf } from './outcome.js';
import { postOrLater } from './repeated.js';
import type { Scope } from './scope.js';

// Tags in the parent's management context, above all others.
const FIRST_TAG = 2 ** 30 + 2 ** 29;
const TAGS = 2 ** 29;

const NOTHING = new Uint8Array(0);

/** Rank 0 has died before its answer to call `number` came. */
export function tellOthers({ core, group, context }: Parent, number: number): void {
  for (let rank = 1; rank < group.size; rank += 1) {
    if (rank === group.rank) continue;
    // If this rank is leaving as well, they will see that.
    postOrLater(core, () =>
      core.postSend(NOTHING, group.toWorld(rank), tagOf(number), managementOf(context), 0, undefined),
    );
  }
}

/** The communicator that call `number` made here ends if rank 0 has died and somebody has told so. */
export function watch(scope: Scope, parent: Parent, number: number): void {
  const { core, group, context } = parent;
  if (group.rank === 0) return;
  scope.whenGone(group.toWorld(0), (cause) => {
    // All have freed the parent, so none was waiting for its answer.
    if (parent.scope !== undefined && !core.scopes.has(parent.scope.id)) return;
    postOrLater(core, () => {
      const told = core.postRecv(readStatus, NOTHING, ANY_SOURCE, tagOf(number), managementOf(context), undefined);
      core.untilReturn(parent, told);
      void outcomeOf(told).then(({ status }) => {
        if (status === 'fulfilled') scope.revoke(() => halfMade(scope, parent, cause));
      });
    });
  });
}

function tagOf(number: number): number {
  return FIRST_TAG + (number % TAGS);
}

function managementOf(context: number): number {
  return contextOfPurpose(context, Purpose.Management);
}

function halfMade({ name, group }: Scope, parent: Parent, cause: ExitCause): UintrError {
  const text = `rank 0 of '${parent.name}' was gone (${cause}) before every rank knew of the communicator '${name}'`;
  const peer = group.toGroup(parent.group.toWorld(0));
  return new UintrError('ERR_UINTR_PEER_EXITED', text, { rank: group.rank, peer, cause });
}
