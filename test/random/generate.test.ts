// The random programs themselves: a test that tests nothing, or demands the impossible, would not be noticed otherwise.
import { ARRAYS, opsOf } from '../helpers/reference.js';
import { shortenThresholds } from '../helpers/thresholds.js';
import { FIRST_COLLECTIVE, isReducing, OPERATIONS } from './collectives.js';
import { generate } from './generate.js';
import { type Part, type Program, partsOf, type Receive, receivesOf, type Send, sendsOf } from './program.js';
import { timesShorter } from './session.js';

const limits = { eagerLimit: 4_096, ringBytes: 65_536, budget: 40_000_000 };
const programs = Array.from({ length: 3_000 }, (_, index) => generate(7, index, 1 + (index % 4), limits));

function each<T>(of: (program: Program) => T[], check: (one: T, program: Program) => boolean): string[] {
  return programs.flatMap((program) =>
    of(program)
      .filter((one) => !check(one, program))
      .map((one) => `program ${program.index}: ${JSON.stringify(one)}`),
  );
}

describe('random programs', () => {
  it('1. are the same for the same seed and number', () => {
    expect(generate(7, 5, 4, limits)).toEqual(generate(7, 5, 4, limits));
    expect(generate(8, 5, 4, limits)).not.toEqual(generate(7, 5, 4, limits));
  });

  it('2. have a receive for each message, and with exact sources each message its receive', () => {
    const wrong = each(sendsOf, (send, program) => {
      const receives = receivesOf(program).filter(({ rank, gets }) => rank === send.dest && gets !== null);
      const exact = program.modes[send.dest] === 'exact';
      return exact ? receives.filter(({ gets }) => gets === send).length === 1 : receives.length >= 1;
    });
    expect(wrong).toEqual([]);
  });

  it('3. let receives with a wildcard for the source compete only with others that are alike', () => {
    const wrong = each(receivesOf, ({ rank, source, tag, gets }, program) => {
      if (gets === null) return true;
      const mode = program.modes[rank]!;
      if (mode === 'exact') return source !== undefined;
      return source === undefined && (mode === 'any' ? tag === undefined : tag !== undefined);
    });
    expect(wrong).toEqual([]);
  });

  it('4. wait for each operation exactly once, when all its ends lie in the past', () => {
    const wrong = programs.filter((program) => {
      const waits = program.steps.filter((step) => step.kind === 'wait');
      const waited = waits.flatMap(({ ids, rank, time }) => ids.map((id) => ({ id, rank, time })));
      const operations: (Send | Receive | Part)[] = [
        ...sendsOf(program),
        ...receivesOf(program).filter(({ gets }) => gets !== null),
        ...partsOf(program).filter(({ blocking }) => blocking === undefined),
      ];
      const timeOf = ({ rank, id }: { rank: number; id: number }): number =>
        waited.find((one) => one.rank === rank && one.id === id)?.time ?? -1;
      return waited.length !== operations.length || !operations.every((one) => timeOf(one) > allEndsOf(program, one));
    });
    expect(wrong).toEqual([]);
  });

  it('5. start the same collective operations in the same order on all ranks', () => {
    const wrong = programs.filter((program) => {
      const ofRank = (of: number): number[] => partsOf(program).flatMap(({ rank, id }) => (rank === of ? [id] : []));
      return (
        ofRank(0).some((id, i) => id !== ofRank(0)[0]! + i) ||
        program.modes.some((_, rank) => `${ofRank(rank)}` !== `${ofRank(0)}`)
      );
    });
    expect(wrong).toEqual([]);
  });

  it('6. let a collective operation block at the same time on all ranks', () => {
    const wrong = each(partsOf, (part, program) => {
      if (part.blocking === undefined) return true;
      return partsOf(program).every(
        ({ id, time, blocking }) => id !== part.id || (time === part.time && blocking === part.blocking),
      );
    });
    expect(wrong).toEqual([]);
  });

  it('7. contain everything that is to be tested', () => {
    const sends = programs.flatMap(sendsOf);
    const receives = programs.flatMap(receivesOf);
    const parts = programs.flatMap(partsOf);
    const calls = parts.map(({ call }) => call);
    const oddPrograms = new Set(programs.filter(({ index }) => timesShorter(index) > 1).flatMap(partsOf));
    const reductions = calls.filter(({ operation }) => isReducing(operation));
    const kindsOfReductions = new Set(reductions.map(({ type, op }) => `${type} ${op}`));
    const some: Record<string, boolean> = {
      'messages to the own rank': sends.some(({ rank, dest }) => rank === dest),
      'empty messages': sends.some(({ size }) => size === 0),
      'messages of more than 8 MiB': sends.some(({ size }) => size > 2 ** 23),
      'a message of exactly eagerLimit': sends.some(({ size }) => size === limits.eagerLimit),
      'a message of one byte more': sends.some(({ size }) => size === limits.eagerLimit + 1),
      'aborted sends': sends.some(({ abortAfter }) => abortAfter !== undefined),
      'cancelled receives': receives.some(({ cancelAfter }) => cancelAfter !== undefined),
      'receives that are too short': receives.some(({ room, gets }) => gets && room !== undefined && room < gets.size),
      'receives without a buffer': receives.some(({ room }) => room === undefined),
      'receives of anything': receives.some(({ source, tag }) => source === undefined && tag === undefined),
      probes: receives.some(({ probe }) => probe),
      'several collectives under way at once': programs.some((program) => mostUnderWay(program) > 5),
      'collectives that block': parts.some(({ blocking }) => blocking === 'promise'),
      'collectives that block the thread': parts.some(({ blocking }) => blocking === 'wait'),
      'collectives of one rank': programs.some((program) => program.ranks === 1 && partsOf(program).length > 0),
      'every operation, in place and not': OPERATIONS.every((name) =>
        [true, false].every((place) => calls.some(({ operation, inPlace }) => operation === name && inPlace === place)),
      ),
      'every type that moves': ARRAYS.every((_, code) =>
        calls.some(({ operation, type }) => operation === 'gatherv' && type === code),
      ),
      'every type with every operation': ARRAYS.every((array, code) =>
        [...opsOf(array), 'add'].every((op) => kindsOfReductions.has(`${code} ${op}`)),
      ),
      'a function that does not commute': reductions.some(({ op }) => op === 'maps'),
      'blocks of no bytes': calls.some(({ length }) => length === 0),
    };
    expect(Object.entries(some).filter(([, is]) => !is)).toEqual([]);
    // Each algorithm has lengths for which it is chosen.
    const thresholds = shortenThresholds(timesShorter(1));
    const bytes = (name: string): number =>
      Math.max(
        ...parts
          .filter((part) => part.call.operation === name && oddPrograms.has(part))
          .map(({ call: { type, length } }) => length * ARRAYS[type]!.BYTES_PER_ELEMENT),
      );
    const reached = {
      bcast: bytes('bcast') >= thresholds.bcastLong,
      gather: bytes('gather') >= thresholds.treeBlockLong,
      allgather: bytes('allgather') >= thresholds.allgatherDoublingLong,
      alltoall: bytes('alltoall') >= thresholds.alltoallLong,
      reduce: bytes('reduce') > thresholds.reduceSegment,
      allreduce: bytes('allreduce') >= thresholds.allreduceRing,
      reduceScatter: bytes('reduceScatter') >= thresholds.reduceScatterLong,
    };
    expect(Object.entries(reached).filter(([, is]) => !is)).toEqual([]);
  });
});

/** The earliest time at which nobody can be late for this operation. */
function allEndsOf(program: Program, one: Send | Receive | Part): number {
  if (one.kind === 'collective') {
    return Math.max(...partsOf(program).flatMap(({ id, time }) => (id === one.id ? [time] : [])));
  }
  const to = one.kind === 'send' ? one.dest : one.rank;
  const receives = receivesOf(program).filter(({ rank, gets }) => rank === to && gets !== null);
  if (program.modes[to] !== 'exact') {
    const sends = sendsOf(program).filter(({ dest }) => dest === to);
    return Math.max(...[...sends, ...receives].map(({ time }) => time));
  }
  const other = one.kind === 'receive' ? one.gets! : receives.find(({ gets }) => gets === one)!;
  return Math.max(one.time, other.time);
}

/** How many collective operations a rank has started and not waited for. */
function mostUnderWay(program: Program): number {
  let [most, now] = [0, 0];
  for (const step of program.steps) {
    if (step.rank !== 0) continue;
    if (step.kind === 'collective' && step.blocking === undefined) now += 1;
    if (step.kind === 'wait') now -= step.ids.filter((id) => id >= FIRST_COLLECTIVE).length;
    most = Math.max(most, now);
  }
  return most;
}
