// Makes program number `index` of a seed.
import { makeParts } from './collectives.js';
import { matchAll } from './matching.js';
import { Random } from './prng.js';
import {
  type Mode,
  type Part,
  PLACES,
  PROBES,
  type Program,
  type Receive,
  type Send,
  type Step,
  WAIT_STYLES,
} from './program.js';
import { randomSize } from './sizes.js';

/** What the sizes are to be chosen around, and how many bytes a program may move. */
export interface Limits {
  eagerLimit: number;
  ringBytes: number;
  budget: number;
}

/** A tag that nobody sends. */
const NEVER = 77_777;
const TAGS = [0, 1, 2, 2 ** 31 - 1];

export function generate(seed: number, index: number, ranks: number, limits: Limits): Program {
  const random = new Random(seed, index, ranks);
  const coordinator = random.below(ranks);
  const modes = Array.from({ length: ranks }, (_, rank): Mode => {
    if (rank === coordinator && random.chance(0.4)) return 'any';
    return random.chance(0.35) ? 'tagged' : 'exact';
  });
  const program: Program = { index, ranks, modes, coordinator, steps: [] };
  const span = 1_000;
  const sends = makeSends(random, ranks, limits, span);
  const receives: Receive[] = [];
  for (let rank = 0; rank < ranks; rank += 1) {
    const incoming = sends.filter(({ dest }) => dest === rank);
    receives.push(...makeReceives(random, incoming, modes[rank]!, span, sends.length + receives.length));
  }
  const parts = makeParts(random, index, ranks, limits, span);
  program.steps.push(...sends, ...receives, ...parts, ...waits(random, sends, receives, parts, modes, span));
  for (let i = random.below(ranks * 4); i > 0; i -= 1) {
    const at = { time: random.next() * span, rank: random.below(ranks) };
    if (random.chance(0.7)) program.steps.push({ kind: 'compute', ...at, units: 1 << random.below(9) });
    else program.steps.push({ kind: 'peek', ...at });
  }
  for (let i = random.chance(0.3) ? random.between(1, 3) : 0; i > 0; i -= 1)
    addNeverMatched(random, program, span, 1_000 + i);
  program.steps.sort((a, b) => a.time - b.time);
  return program;
}

function makeSends(random: Random, ranks: number, limits: Limits, span: number): Send[] {
  const count = random.chance(0.1) ? random.between(20, 60) : random.between(1, 10);
  let budget = limits.budget;
  const sends = Array.from({ length: count }, (): Send => {
    const size = Math.min(budget, randomSize(random, limits));
    budget -= size;
    return {
      kind: 'send',
      id: 0,
      time: random.next() * span,
      rank: random.below(ranks),
      dest: random.below(ranks),
      tag: random.pick(TAGS),
      size,
      synchronous: random.chance(0.2),
      place: random.pick(PLACES),
      ...(random.chance(0.06) ? { abortAfter: random.below(60) } : {}),
    };
  });
  sends.sort((a, b) => a.time - b.time);
  for (const [id, send] of sends.entries()) send.id = id;
  return sends;
}

/** One receive for each message. */
function makeReceives(random: Random, incoming: Send[], mode: Mode, span: number, firstId: number): Receive[] {
  const largest = Math.max(0, ...incoming.map(({ size }) => size));
  const receives = incoming.map((send): Receive => {
    const exact = mode === 'exact';
    return {
      kind: 'receive',
      id: 0,
      time: random.next() * span,
      rank: send.dest,
      source: exact ? send.rank : undefined,
      tag: mode === 'any' || (exact && random.chance(0.3)) ? undefined : send.tag,
      // With a wildcard it may get any of them.
      room: random.chance(0.3) ? undefined : largest,
      place: random.pick(PLACES),
      ...(random.chance(0.08) ? { cancelAfter: random.below(60) } : {}),
    };
  });
  receives.sort((a, b) => a.time - b.time);
  for (const [i, receive] of receives.entries()) receive.id = firstId + i;
  if (mode !== 'exact') return receives;
  matchAll(incoming, receives);
  for (const receive of receives) {
    const { size, time } = receive.gets!;
    if (receive.room !== undefined) receive.room = roomFor(random, size);
    if (receive.time > time && random.chance(0.3)) receive.probe = random.pick(PROBES);
  }
  return receives;
}

/** Mostly just enough, sometimes more, rarely too little. */
function roomFor(random: Random, size: number): number {
  if (size > 0 && random.chance(0.04)) return random.below(size);
  return random.chance(0.6) ? size : size + random.below(5_000);
}

/** Waits for every operation, at times at which all its ends lie in the past. */
function waits(random: Random, sends: Send[], receives: Receive[], parts: Part[], modes: Mode[], span: number): Step[] {
  const steps: Step[] = [];
  const receivedBy = new Map(receives.filter(({ gets }) => gets).map((receive) => [receive.gets!.id, receive]));
  // Where receives are wild, any message may take any of them: all have to be in the past.
  const settled = modes.map((_, rank) =>
    Math.max(
      0,
      ...[...sends.filter(({ dest }) => dest === rank), ...receives.filter((r) => r.rank === rank)].map(
        ({ time }) => time,
      ),
    ),
  );
  const open: { rank: number; id: number }[] = [];
  const add = (rank: number, id: number, earliest: number): void => {
    if (random.chance(0.5)) {
      open.push({ rank, id });
      return;
    }
    const time = earliest + random.next() * (span - earliest);
    steps.push({ kind: 'wait', time, rank, ids: [id], style: random.pick(WAIT_STYLES) });
  };
  for (const send of sends) {
    const receive = receivedBy.get(send.id);
    add(send.rank, send.id, receive ? Math.max(send.time, receive.time) : settled[send.dest]!);
  }
  for (const receive of receives) {
    add(receive.rank, receive.id, receive.gets ? Math.max(receive.time, receive.gets.time) : settled[receive.rank]!);
  }
  const started = new Map<number, number>();
  for (const { id, time } of parts) started.set(id, Math.max(started.get(id) ?? 0, time));
  for (const { rank, id, blocking } of parts) if (blocking === undefined) add(rank, id, started.get(id)!);
  // The rest at the end, in groups.
  for (const [rank] of modes.entries()) {
    let ids = random.shuffled(open.filter((one) => one.rank === rank).map(({ id }) => id));
    while (ids.length > 0) {
      const count = random.between(1, ids.length);
      steps.push({
        kind: 'wait',
        time: span + random.next(),
        rank,
        ids: ids.slice(0, count),
        style: random.pick(WAIT_STYLES),
      });
      ids = ids.slice(count);
    }
  }
  return steps;
}

function addNeverMatched(random: Random, program: Program, span: number, id: number): void {
  const rank = random.below(program.ranks);
  const time = random.next() * span;
  program.steps.push(
    {
      kind: 'receive',
      id,
      time,
      rank,
      source: random.chance(0.5) ? random.below(program.ranks) : undefined,
      tag: NEVER,
      room: random.chance(0.5) ? 100 : undefined,
      place: 'plain',
      gets: null,
    },
    { kind: 'withdraw', time: time + random.next() * (span - time), rank, id },
  );
}
