// MPICH, with its default settings; it binds nothing unless it is asked to.
import { Mpi } from './mpi.js';

export const mpich = new Mpi({
  id: 'mpich',
  title: 'MPICH',
  packages: 'mpich libmpich-dev',
  candidates: ['.mpich', ''].map((suffix) => ({ mpicc: `mpicc${suffix}`, mpirun: `mpiexec${suffix}` })),
  version: /HYDRA[\s\S]*?Version:\s*(\d+\.\d+(?:\.\d+)?)/,
  options: () => [],
});
