// Declares the same tests under each driver and each way to copy.
import { registry } from './registry.js';

export const DRIVERS = ['signal', 'poll'] as const;
export const COPIES = ['auto', 'cma', 'heap', 'pipeline'] as const;

export interface Setting {
  driver: (typeof DRIVERS)[number];
  copy: (typeof COPIES)[number];
}

/** Calls `declare` inside a describe block for each setting, which the ranks of its tests get by environment variables. */
export function matrix(declare: (setting: Setting) => void, drivers: readonly Setting['driver'][] = DRIVERS): void {
  for (const driver of drivers) {
    for (const copy of COPIES) {
      describe(`(driver ${driver}, copy ${copy})`, () => {
        registry.withEnvironment({ UINTR_DRIVER: driver, UINTR_COPY: copy }, () => declare({ driver, copy }));
      });
    }
  }
}

/** As matrix, for properties that do not depend on how large messages are copied. */
export function eachDriver(declare: (driver: Setting['driver']) => void): void {
  for (const driver of DRIVERS) {
    describe(`(driver ${driver})`, () => {
      registry.withEnvironment({ UINTR_DRIVER: driver }, () => declare(driver));
    });
  }
}
