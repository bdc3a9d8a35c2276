import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mpi } from '../../bench/lib/mpi.js';

describe('an MPI library', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'uintr-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function command(name: string, script: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  function library(candidates: { mpicc: string; mpirun: string }[]): Mpi {
    const family = {
      id: 'some',
      title: 'Some MPI',
      packages: 'some-mpi',
      candidates,
      version: /Some MPI (\d+\.\d+)/,
      options: (apart: boolean) => (apart ? [] : ['--crowded']),
    };
    return new Mpi(family, folder);
  }

  test('is the candidate that says its name and compiles', () => {
    const other = { mpicc: command('cc0', 'exit 0'), mpirun: command('run0', 'echo Other MPI 3.1') };
    const noHeaders = { mpicc: command('cc1', 'exit 1'), mpirun: command('run1', 'echo Some MPI 1.1') };
    const good = { mpicc: command('cc2', 'exit 0'), mpirun: command('run2', 'echo Some MPI 2.1') };
    const mpi = library([other, noHeaders, good]);
    expect(mpi.version).toBe('2.1');
    expect(mpi.command('latency', ['8'], undefined)[0]).toBe(good.mpirun);
  });

  test('without its headers, or under no name, is not installed', () => {
    const noHeaders = { mpicc: command('cc', 'exit 1'), mpirun: command('run', 'echo Some MPI 1.1') };
    const nowhere = { mpicc: join(folder, 'no'), mpirun: join(folder, 'where') };
    const mpi = library([noHeaders, nowhere]);
    expect(mpi.version).toBeUndefined();
    expect(mpi.whyNot('latency')).toBe('Some MPI: not installed (apt-get install some-mpi)');
  });

  test('starts each rank pinned, in turn where there are more of them than processors, and says so', () => {
    const mpi = library([{ mpicc: command('cc', 'exit 0'), mpirun: command('run', 'echo Some MPI 2.1') }]);
    const without = (args: string[]) => args.filter((arg) => !arg.startsWith('/')).join(' ');
    expect(without(mpi.command('latency', ['8'], [0, 1]))).toBe('-n 1 taskset -c 0 8 : -n 1 taskset -c 1 8');
    expect(without(mpi.command('latency', ['8'], [4, 6], 3))).toBe(
      '--crowded -n 1 taskset -c 4 8 : -n 1 taskset -c 6 8 : -n 1 taskset -c 4 8',
    );
    expect(without(mpi.command('latency', ['8'], undefined, 3))).toBe('--crowded -n 3 8');
  });
});
