import type { Case, Plan } from '../../bench/lib/plan.js';
import { samplesIn } from '../../bench/lib/plan.js';
import { follow, lead } from '../../bench/lib/turns.js';

const cases: Case[] = [8, 1024].map((bytes) => ({ bytes, batch: 2, window: 1 }));
const plan: Plan = { cases, budgetMicros: 2000, minSamples: 3, maxSamples: 20 };

/** A channel of counts between two ends in one process. */
function channel() {
  const counts: number[] = [];
  let heard: ((count: number) => void) | undefined;
  return {
    tell(count: number): void {
      if (heard) heard(count);
      else counts.push(count);
      heard = undefined;
    },
    hear(): Promise<number> {
      const count = counts.shift();
      if (count !== undefined) return Promise.resolve(count);
      return new Promise((resolve) => {
        heard = resolve;
      });
    },
  };
}

describe('the course of a measurement', () => {
  let printed: string[];
  beforeEach(() => {
    printed = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
  });
  afterEach(() => jest.restoreAllMocks());

  test('both ends take the same number of samples of every case, and end', async () => {
    const { tell, hear } = channel();
    const taken = { first: new Map<number, number>(), second: new Map<number, number>() };
    const count =
      (of: Map<number, number>, { bytes }: Case) =>
      () => {
        of.set(bytes, (of.get(bytes) ?? 0) + 1);
      };
    await Promise.all([
      lead(
        plan,
        (one) => ({ tell, sample: count(taken.first, one) }),
        () => 4,
      ),
      follow(plan, (one) => ({ hear, sample: count(taken.second, one) })),
    ]);
    expect([...taken.first.keys()]).toEqual([8, 1024]);
    expect(taken.second).toEqual(taken.first);
    expect(printed).toHaveLength(cases.length);
  });

  test('the number of samples is bounded on both sides, whatever one of them takes', () => {
    expect(samplesIn(1000, 10, 3, 50)).toBe(50);
    expect(samplesIn(1000, 10_000, 3, 50)).toBe(3);
    expect(samplesIn(1000, 100, 3, 50)).toBe(10);
    expect(samplesIn(1000, 0, 3, 50)).toBe(50);
  });
});
