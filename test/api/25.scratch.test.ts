// The memory that collective operations work in.
import { giveScratch, takeScratch } from '../../lib/collectives/scratch.js';

const MiB = 1024 * 1024;

describe('scratch memory', () => {
  it('1. is at least as long as asked for, whatever that is', () => {
    for (const bytes of [0, 1, 1023, 1024, 1025, 3 * MiB, 16 * MiB, 16 * MiB + 1]) {
      const memory = takeScratch(bytes);
      expect(memory.length).toBeGreaterThanOrEqual(bytes);
      giveScratch(memory);
      expect(takeScratch(bytes).length).toBeGreaterThanOrEqual(bytes);
    }
  });

  it('2. is used again, and never by two at a time', () => {
    const first = takeScratch(100_000);
    const second = takeScratch(100_000);
    expect(second).not.toBe(first);
    giveScratch(first);
    expect(takeScratch(70_000)).toBe(first);
    expect([first, second]).not.toContain(takeScratch(100_000));
  });

  it('3. is kept up to a bound', () => {
    const taken = Array.from({ length: 8 }, () => takeScratch(4 * MiB));
    for (const memory of taken) giveScratch(memory);
    const again = Array.from({ length: 8 }, () => takeScratch(4 * MiB));
    const kept = again.filter((memory) => taken.includes(memory));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThanOrEqual(4);
    const longest = takeScratch(9 * MiB);
    giveScratch(takeScratch(0));
    giveScratch(longest);
    expect(takeScratch(9 * MiB)).toBe(longest);
    const long = takeScratch(17 * MiB);
    giveScratch(long);
    expect(takeScratch(17 * MiB)).not.toBe(long);
  });
});
