// The random programs themselves: a test that tests nothing, or demands the impossible, would not be noticed otherwise.
import { generate } from './generate.js';
import { type Program, type Receive, receivesOf, type Send, sendsOf } from './program.js';

const limits = { eagerLimit: 4_096, ringBytes: 65_536, budget: 40_000_000 };
const programs = Array.from({ length: 3_000 }, (_, index) => generate(7, index, 2 + (index % 3), limits));

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

  it('4. wait for each operation exactly once, when both its ends lie in the past', () => {
    const wrong = programs.filter((program) => {
      const waited = program.steps.flatMap((step) =>
        step.kind === 'wait' ? step.ids.map((id) => ({ id, time: step.time })) : [],
      );
      const operations: (Send | Receive)[] = [
        ...sendsOf(program),
        ...receivesOf(program).filter(({ gets }) => gets !== null),
      ];
      const timeOf = (id: number): number => waited.find((one) => one.id === id)?.time ?? -1;
      return (
        waited.length !== operations.length || !operations.every((one) => timeOf(one.id) > bothEndsOf(program, one))
      );
    });
    expect(wrong).toEqual([]);
  });

  it('5. contain everything that is to be tested', () => {
    const sends = programs.flatMap(sendsOf);
    const receives = programs.flatMap(receivesOf);
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
    };
    expect(Object.entries(some).filter(([, is]) => !is)).toEqual([]);
  });
});

/** The earliest time at which nobody can be late for this operation. */
function bothEndsOf(program: Program, one: Send | Receive): number {
  const to = one.kind === 'send' ? one.dest : one.rank;
  const receives = receivesOf(program).filter(({ rank, gets }) => rank === to && gets !== null);
  if (program.modes[to] !== 'exact') {
    const sends = sendsOf(program).filter(({ dest }) => dest === to);
    return Math.max(...[...sends, ...receives].map(({ time }) => time));
  }
  const other = one.kind === 'receive' ? one.gets! : receives.find(({ gets }) => gets === one)!;
  return Math.max(one.time, other.time);
}
