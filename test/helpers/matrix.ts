// Declares the same tests under each driver and each way to copy.
import { support } from '../../lib/index.js';
import { EMULATOR } from './paths.js';
import { registry } from './registry.js';

export const DRIVERS = ['signal', 'uintr', 'poll'] as const;
export const COPIES = ['auto', 'cma', 'heap', 'pipeline'] as const;

/** Where ranks share a process. */
export const THREAD_COPIES = [...COPIES, 'direct'] as const;

export interface Setting {
  driver: (typeof DRIVERS)[number];
  copy: (typeof THREAD_COPIES)[number];
}

/**
 * What makes a process use `driver`. Where there are no user interrupts, the emulator stands in for CPU and kernel: the
 * same instructions, the same system calls.
 */
export function environmentOf(driver: Setting['driver']): Record<string, string> {
  const emulated = driver === 'uintr' && !support().drivers.uintr.ok;
  return { UINTR_DRIVER: driver, ...(emulated && { LD_PRELOAD: EMULATOR }) };
}

/** Calls `declare` inside a describe block for each setting, which the ranks of its tests get by environment variables. */
export function matrix(
  declare: (setting: Setting) => void,
  drivers: readonly Setting['driver'][] = DRIVERS,
  copies: readonly Setting['copy'][] = COPIES,
): void {
  for (const driver of drivers) {
    for (const copy of copies) {
      describe(`(driver ${driver}, copy ${copy})`, () => {
        registry.withEnvironment({ ...environmentOf(driver), UINTR_COPY: copy }, () => declare({ driver, copy }));
      });
    }
  }
}

/** As matrix, for properties that do not depend on how large messages are copied. */
export function eachDriver(declare: (driver: Setting['driver']) => void): void {
  for (const driver of DRIVERS) {
    describe(`(driver ${driver})`, () => {
      registry.withEnvironment(environmentOf(driver), () => declare(driver));
    });
  }
}
