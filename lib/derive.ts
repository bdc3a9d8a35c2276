// Making communicators out of one (MPI 4.1, 7.4.2): its ranks tell rank 0 what they wish, which forms the groups and tells
// everybody whose they are in. All in the management context; the number of the call is the tag, so several may be under
// way.
//
// Each rank brings an id along, and that of a group's rank 0 becomes the communicator's: nobody has to agree on one.
import { contextOfPurpose, Purpose } from './context.js';
import { type Core, readStatus } from './core.js';
import { tellOthers, watch } from './derive-halfway.js';
import {
  type Answer,
  answerBytes,
  decodeAnswer,
  decodeWish,
  encode,
  failed,
  failureFrom,
  type Refusal,
  WISH_BYTES,
  type Wish,
} from './derive-wire.js';
import { type ExitCause, UintrError } from './errors.js';
import { Group } from './group.js';
import { outcomeOf } from './outcome.js';
import { Scope } from './scope.js';

/** The communicator that others are made of. */
export interface Parent {
  core: Core;
  /** Undefined: the world. */
  scope: Scope | undefined;
  group: Group;
  context: number;
  name: string;
}

// Above are those of free().
const TAGS = 2 ** 30;

/**
 * The new communicator, or null where the wish has no color. `number`: of the call.
 * @throws if nothing was begun, and other ranks wait for this one to try again
 */
export function derive(
  parent: Parent,
  number: number,
  asked: Omit<Wish, 'id' | 'life'>,
  bad?: UintrError,
): Promise<Scope | null> {
  const { core, group, scope } = parent;
  const id = core.ids.take();
  const refused = bad ?? (id === undefined ? noIds(group) : undefined);
  const wish =
    refused === undefined
      ? { ...asked, id: id!, life: core.incarnations[core.rank]! }
      : { failure: failureFrom(refused) };
  let answer: Promise<Answer | Refusal>;
  try {
    answer =
      group.rank === 0 ? lead(parent, tagOf(number), asked.kind, wish) : follow(parent, number, asked.kind, wish);
  } catch (error) {
    if (id !== undefined) core.ids.give(id);
    throw error;
  }
  core.want();
  scope?.hold();
  const result = answer.then((given) => {
    // Where this fails because rank 0 is gone, it may have told others of the id.
    if (id !== undefined && !('id' in given && given.id === id)) core.ids.give(id);
    if ('failure' in given) throw refused ?? failed(given.failure, group);
    if (given.members.length === 0) return null;
    const suffix = asked.color === null || asked.kind === 'dup' ? '' : `-${asked.color}`;
    const name = `${parent.name}/${asked.kind}-${number}${suffix}`;
    const lives = core.elastic ? given.lives : undefined;
    const made = new Scope(core, given.id, name, Group.of(given.members, core.rank), lives);
    watch(made, parent, number);
    return made;
  });
  const end = (): void => {
    core.unwant();
    scope?.release();
  };
  result.then(end, end);
  return result;
}

function follow(parent: Parent, number: number, kind: string, wish: Wish | Refusal): Promise<Answer | Refusal> {
  const { core, group } = parent;
  const context = contextOfPurpose(parent.context, Purpose.Management);
  const leader = group.toWorld(0);
  const alreadyGone = core.gone.has(leader);
  const into = new Uint8Array(answerBytes(group.size));
  const receive = core.postRecv(readStatus, into, leader, tagOf(number), context, undefined);
  core.untilReturn(parent, receive);
  try {
    core.postSend(encode(wish), leader, tagOf(number), context, 0, undefined);
  } catch (error) {
    receive.cancel();
    throw error;
  }
  return outcomeOf(receive).then((outcome) => {
    if (outcome.status === 'rejected') {
      const died = (outcome.reason as UintrError).code === 'ERR_UINTR_PEER_EXITED';
      if (died && !alreadyGone && !core.closed) tellOthers(parent, number);
      throw failed(failureFrom(absent(outcome.reason, parent, kind)), group);
    }
    return decodeAnswer(into.subarray(0, outcome.value.byteLength), group);
  });
}

function tagOf(number: number): number {
  return number % TAGS;
}

async function lead(parent: Parent, tag: number, kind: string, own: Wish | Refusal): Promise<Answer | Refusal> {
  const { core, group, scope } = parent;
  const context = contextOfPurpose(parent.context, Purpose.Management);
  let answers: (Answer | Refusal)[];
  try {
    // Posted even when all is lost already, so that what comes is taken.
    const wishes = Array.from({ length: group.size - 1 }, (_, i) => wishOf(parent, tag, kind, i + 1));
    const all = Promise.all([own, ...wishes].map(accept));
    answers = form(await all, group);
    checkThere(parent, kind);
  } catch (error) {
    if (scope !== undefined) scope.hasFailed = true;
    const refusal = { failure: failureFrom(asUintrError(error)) };
    answers = Array.from({ length: group.size }, () => refusal);
  }
  // Where a rank has come back meanwhile all others see that by themselves, and nobody waits any more.
  const isOver =
    scope === undefined ? context !== contextOfPurpose(core.worldContext, Purpose.Management) : scope.isOutdated;
  if (isOver) {
    const error = new UintrError('ERR_UINTR_REVOKED', `a rank of '${parent.name}' has come back meanwhile`, {
      rank: group.rank,
    });
    return 'failure' in answers[0]! ? answers[0] : { failure: failureFrom(error) };
  }
  for (let rank = 1; rank < group.size; rank += 1)
    reply(core, encode(answers[rank]!), group.toWorld(rank), tag, context);
  return answers[0]!;
}

function reply(core: Core, answer: Uint8Array, world: number, tag: number, context: number): void {
  try {
    core.postSend(answer, world, tag, context, 0, undefined);
  } catch {
    // No request is left, and somebody waits for this one. If the world is closing, that is what he will see.
    if (!core.closed) setImmediate(() => reply(core, answer, world, tag, context));
  }
}

/** What that rank wishes; rejects at once if it is not what rank 0 has called. */
async function wishOf(parent: Parent, tag: number, kind: string, rank: number): Promise<Wish | Refusal> {
  const { core, group } = parent;
  const world = group.toWorld(rank);
  const into = new Uint8Array(WISH_BYTES);
  const context = contextOfPurpose(parent.context, Purpose.Management);
  const receive = core.postRecv(readStatus, into, world, tag, context, undefined);
  core.untilReturn(parent, receive);
  const outcome = await outcomeOf(receive);
  if (outcome.status === 'rejected') throw absent(outcome.reason, parent, kind);
  const wish = decodeWish(into.subarray(0, outcome.value.byteLength), world);
  if ('failure' in wish) {
    const { code, message } = wish.failure;
    throw new UintrError(code, `rank ${rank} of '${parent.name}' could not take part: ${message}`, { peer: world });
  }
  if (wish.kind !== kind) {
    throw new UintrError(
      'ERR_UINTR_INVALID_ARGUMENT',
      `rank ${rank} of '${parent.name}' called ${wish.kind}() where rank 0 called ${kind}()`,
      { rank: group.rank, peer: world },
    );
  }
  return wish;
}

async function accept(given: Wish | Refusal | Promise<Wish | Refusal>): Promise<Wish> {
  const wish = await given;
  if ('failure' in wish) {
    const { code, message, peer, cause } = wish.failure;
    throw new UintrError(code, message, { peer, cause });
  }
  return wish;
}

/** A rank may have called, and be gone. */
function checkThere({ core, group, name }: Parent, kind: string): void {
  for (const [world, cause] of core.gone) {
    if (group.toGroup(world) !== undefined) throw goneError(world, cause, group, name, kind);
  }
}

/** What each rank is to be told. Groups are ordered by key, then by rank (MPI 4.1, 7.4.2, MPI_Comm_split). */
function form(wishes: readonly Wish[], group: Group): Answer[] {
  const colors = new Map<number, number[]>();
  for (const [rank, { color }] of wishes.entries()) {
    if (color !== null) colors.set(color, [...(colors.get(color) ?? []), rank]);
  }
  const answers: Answer[] = wishes.map(() => ({ id: -1, members: [], lives: [] }));
  for (const ranks of colors.values()) {
    ranks.sort((a, b) => wishes[a]!.key - wishes[b]!.key || a - b);
    const answer = {
      id: wishes[ranks[0]!]!.id,
      members: ranks.map((rank) => group.toWorld(rank)),
      lives: ranks.map((rank) => wishes[rank]!.life),
    };
    for (const rank of ranks) answers[rank] = answer;
  }
  return answers;
}

/** Says what it means when the rank that was waited for is gone. */
function absent(reason: unknown, { group, name }: Parent, kind: string): UintrError {
  const error = asUintrError(reason);
  const { code, peer, cause } = error;
  if (code !== 'ERR_UINTR_PEER_EXITED' || peer === undefined) return error;
  return goneError(peer, cause as ExitCause, group, name, kind);
}

/** `peer` is the world's, as it is on its way to other ranks. */
function goneError(peer: number, cause: ExitCause, group: Group, name: string, kind: string): UintrError {
  const text = `${kind}() on '${name}' failed, for rank ${group.toGroup(peer)} is gone (${cause})`;
  return new UintrError('ERR_UINTR_PEER_EXITED', text, { rank: group.rank, peer, cause });
}

function noIds({ rank }: Group): UintrError {
  return new UintrError('ERR_UINTR_NO_MEMORY', 'this rank has given all its ids to communicators not freed', { rank });
}

function asUintrError(error: unknown): UintrError {
  return error instanceof UintrError ? error : new UintrError('ERR_UINTR_PROTOCOL', String(error));
}
