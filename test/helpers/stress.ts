// How long the tests are that say the same again and again.

// A rank's environment has nothing that begins with UINTR_, hence the second name.
/** UINTR_STRESS_FACTOR, or 1. */
export const FACTOR = Number(process.env['STRESS_FACTOR'] ?? process.env['UINTR_STRESS_FACTOR'] ?? 1);

/** What tells ranks the same. */
export const FACTOR_ENV = { STRESS_FACTOR: `${FACTOR}` };

/** `count` times the factor, and at least `least`. */
export const rounds = (count: number, least = 1): number => Math.max(least, Math.ceil(count * FACTOR));
