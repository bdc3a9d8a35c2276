// The line above all tables: on what, and against what, they were measured.
import type { MachineLine } from './json.js';

export function about({ cpu, cores, kernel, node, uintr, driver, cpus, notPinned, ...peers }: MachineLine): string {
  const where = cpus ? `ends pinned to processors ${cpus.join(' and ')}` : `ends not pinned: ${notPinned}`;
  const names = { 'Open MPI': peers.openmpi, MPICH: peers.mpich, zeromq: peers.zeromq };
  const versions = Object.entries(names).flatMap(([name, version]) =>
    version === undefined ? [] : `${name} ${version}`,
  );
  return [
    `${cpu}, ${cores} cores`,
    `Linux ${kernel}`,
    `Node ${node}`,
    `uintr ${uintr}, driver ${driver}`,
    ...versions,
    where,
  ].join(' · ');
}
