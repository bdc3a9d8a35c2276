// What the figures were read on.
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { support } from '../../lib/index.js';
import type { MachineLine } from './json.js';
import { root } from './launch.js';
import { mpich } from './mpich.js';
import { openmpi } from './openmpi.js';
import { chooseCpus, whyNotPinned } from './pin.js';
import { zeromqVersion } from './zeromq.js';

export function describeMachine(): MachineLine {
  const notPinned = whyNotPinned();
  const pair = notPinned === undefined ? chooseCpus() : undefined;
  return {
    bench: 'machine',
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    uintr: version(),
    driver: usualDriver(),
    ...installed(),
    ...(pair && { cpus: pair }),
    ...(notPinned !== undefined && { notPinned }),
  };
}

function version(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/** As a world chooses it that is told nothing. */
function usualDriver(): string {
  const asked = process.env.UINTR_DRIVER;
  if (asked !== undefined && asked !== 'auto') return asked;
  const { drivers } = support();
  return (['uintr', 'signal', 'poll'] as const).find((name) => drivers[name].ok) ?? 'none';
}

/** Versions of the peers that do not come with the system or with Node. */
function installed(): Pick<MachineLine, 'openmpi' | 'mpich' | 'zeromq'> {
  const versions = { openmpi: openmpi.version, mpich: mpich.version, zeromq: zeromqVersion() };
  return Object.fromEntries(Object.entries(versions).filter(([, version]) => version !== undefined));
}
