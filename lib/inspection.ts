// What inspect() tells: the engine's contexts and world ranks in a user's terms.
import type { NativeInspection } from './binding.js';
import { identify, isWorldId, Purpose } from './context.js';
import type { Core } from './core.js';
import type { RequestInspection, WorldInspection } from './reports.js';

const PURPOSES: Record<Purpose, RequestInspection['purpose']> = {
  [Purpose.PointToPoint]: 'messages',
  [Purpose.Collective]: 'collective',
  [Purpose.Revoke]: 'collective',
  [Purpose.Management]: 'management',
  [Purpose.Object]: 'objects',
  [Purpose.ObjectParts]: 'objects',
  [Purpose.Service]: 'services',
  [Purpose.Reply]: 'services',
};

/** What the messages of this context are. */
export function purposeOf(context: number): RequestInspection['purpose'] {
  return PURPOSES[identify(context).purpose];
}

export function inspection(core: Core): WorldInspection {
  const { requests, ...counts } = core.native.inspect()!;
  return { ...counts, requests: requests.map((request) => inTermsOfUser(core, request)) };
}

function inTermsOfUser(
  core: Core,
  { kind, state, context, peer, slot, ...rest }: NativeInspection['requests'][number],
): RequestInspection {
  const { id, purpose } = identify(context);
  const scope = core.scopes.get(id);
  const comm = isWorldId(id) ? 'world' : (scope?.shownName ?? `communicator ${id}`);
  const called = slot === undefined ? undefined : core.collectives.get(slot);
  return {
    kind,
    state,
    comm,
    purpose: PURPOSES[purpose],
    peer: scope?.group.toGroup(peer) ?? peer,
    ...(called !== undefined && { called }),
    ...rest,
  };
}
