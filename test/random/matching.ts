// MPI's matching for receives with an exact source (MPI 4.1, 3.5): among messages of one sender the earliest, among
// receives the earliest. Both sides prefer in the same order, so the outcome does not depend on who comes first.
import type { Receive, Send } from './program.js';

const fits = (receive: Receive, send: Send): boolean =>
  receive.source === send.rank && receive.rank === send.dest && (receive.tag === undefined || receive.tag === send.tag);

/** Sets `gets` of each receive, in whose order of time they are; returns the messages that none gets. */
export function match(sends: readonly Send[], receives: readonly Receive[]): Send[] {
  for (const receive of receives) receive.gets = null;
  const left: Send[] = [];
  for (const send of sends) {
    const receive = receives.find((candidate) => candidate.gets === null && fits(candidate, send));
    if (receive) receive.gets = send;
    else left.push(send);
  }
  return left;
}

/** As match, but changes the tags of receives until each message is received; one receive for each is given. */
export function matchAll(sends: readonly Send[], receives: readonly Receive[]): void {
  for (let round = 0; round < 4; round += 1) {
    const left = match(sends, receives);
    if (left.length === 0) return;
    for (const send of left) {
      const spare = receives.find((receive) => receive.gets === null && receive.source === send.rank)!;
      spare.tag = send.tag;
      spare.gets = send;
    }
  }
  // Without any wildcard, equally many receives as messages of each tag always suffice.
  const queues = new Map<number, Send[]>();
  for (const send of sends) queues.set(send.rank, [...(queues.get(send.rank) ?? []), send]);
  for (const receive of receives) receive.tag = queues.get(receive.source!)!.shift()!.tag;
  match(sends, receives);
}
