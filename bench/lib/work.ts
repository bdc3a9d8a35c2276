// Computation of a fixed amount. It is counted in iterations and never ends by a clock, so that whatever a handler
// takes from it makes it longer. It stays in registers: a copy next to it competes for the core, not for its cache.

// Where results go: a loop nobody needs the result of might be left out.
const sink = new Uint32Array(1);

/** xorshift32: each step needs the one before, so neither the processor nor the compiler can shorten it. */
export function work(iterations: number): number {
  let x = 0x2545f491;
  for (let i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink[0] ^= x;
  return x;
}

/** The speed of `work` on this core when nothing else runs on it. */
export function iterationsPerMicrosecond(): number {
  const iterations = 200_000;
  let shortest = Number.POSITIVE_INFINITY;
  // The first runs are the interpreter's; the shortest one is the compiled loop undisturbed.
  for (let run = 0; run < 30; run++) {
    const micros = timed(() => work(iterations));
    if (micros < shortest) shortest = micros;
  }
  return iterations / shortest;
}

/** Microseconds that `what` takes. */
export function timed(what: () => unknown): number {
  const start = performance.now();
  what();
  return (performance.now() - start) * 1000;
}
