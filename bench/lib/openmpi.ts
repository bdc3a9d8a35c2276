// Open MPI, with its default settings.
import { Mpi } from './mpi.js';

export const openmpi = new Mpi({
  id: 'openmpi',
  title: 'Open MPI',
  packages: 'openmpi-bin libopenmpi-dev',
  candidates: ['.openmpi', ''].map((suffix) => ({ mpicc: `mpicc${suffix}`, mpirun: `mpirun${suffix}` })),
  version: /(?:Open MPI|OpenRTE)\D*(\d+\.\d+\.\d+)/,
  options: (apart) => [
    '--bind-to',
    'none',
    ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []),
    // It refuses more ranks than processors; told so, it lets ranks yield instead of spinning.
    ...(apart ? [] : ['--oversubscribe']),
  ],
});
