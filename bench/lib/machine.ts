// What the figures were read on.
import { cpus, release } from 'node:os';
import type { MachineLine } from './json.js';
import { version } from './openmpi.js';
import { chooseCpus, whyNotPinned } from './pin.js';

export function describeMachine(): MachineLine {
  const notPinned = whyNotPinned();
  const openmpi = version();
  const pair = notPinned === undefined ? chooseCpus() : undefined;
  return {
    bench: 'machine',
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    ...(openmpi !== undefined && { openmpi }),
    ...(pair && { cpus: pair }),
    ...(notPinned !== undefined && { notPinned }),
  };
}
