// A histogram by powers of two: element i counts values from 2^i to 2^(i+1).

/** The bound that this part of all values does not exceed. */
export function boundOf(histogram: readonly number[], part: number): number {
  const total = countOf(histogram);
  if (total === 0) throw new RangeError('bound of no values');
  let missing = Math.max(1, Math.ceil(part * total));
  let bucket = -1;
  while (missing > 0) missing -= histogram[++bucket];
  return 2 ** (bucket + 1);
}

export function countOf(histogram: readonly number[]): number {
  return histogram.reduce((sum, count) => sum + count, 0);
}

export function add(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}
