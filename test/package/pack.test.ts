// What a user gets: the packed files, installed without network, scripts or compiler, and imported both ways.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './places.js';

interface Packed {
  filename: string;
  files: { path: string; mode: number }[];
}

// Scripts are left out: they would build again, under the feet of the other tests.
function pack(...options: string[]): Packed {
  const json = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...options], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const report: unknown = JSON.parse(json);
  // A list up to npm 11, an object by package name afterwards.
  return Object.values(report as Record<string, Packed>)[0];
}

describe('npm pack', () => {
  let paths: string[];

  beforeAll(() => {
    paths = pack('--dry-run').files.map((file) => file.path);
  });

  test.each([
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'prebuilds/linux-x64/uintr.node',
    'dist/lib/index.js',
    'dist/lib/index.mjs',
    'dist/lib/index.d.ts',
    'dist/lib/index.d.mts',
    'dist/lib/doorbell.js',
    'dist/lib/doorbell.mjs',
    'dist/lib/doorbell.d.ts',
    'dist/lib/doorbell.d.mts',
    'dist/lib/sync.js',
    'dist/lib/sync.mjs',
    'dist/lib/sync.d.ts',
    'dist/lib/sync.d.mts',
    'dist/lib/cli/main.js',
  ])('contains %s', (path) => {
    expect(paths).toContain(path);
  });

  test('contains the benchmarks that `uintr bench` runs', () => {
    expect(paths.filter((path) => path.startsWith('dist/bench/'))).not.toEqual([]);
    for (const folder of ['notify', 'mpi']) expect(paths).toContain(`bench/peers/${folder}/common.h`);
  });

  // The C programs are peers, which `uintr bench` compiles where there is an mpicc, or a cc.
  test('contains nothing else: no tests, no sources of its own, nothing to compile at install', () => {
    const allowed =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bench\/peers\/(notify|mpi)\/[\w-]+\.[ch]|prebuilds\/[\w-]+\/uintr\.node|dist\/(lib|bench)\/.+\.(js|mjs|cjs|d\.ts|d\.mts))$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
  });
});

describe('an installed package', () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'uintr-pack-'));
    const { filename } = pack('--pack-destination', project);
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    execFileSync(
      'npm',
      ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', join(project, filename)],
      {
        cwd: project,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  function runFile(name: string, program: string): string {
    writeFileSync(join(project, name), program);
    return execFileSync(process.execPath, [join(project, name)], { cwd: project, encoding: 'utf8' }).trim();
  }

  test('brings no other package along', () => {
    const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
    expect(Object.keys(packages).filter((path) => path !== '')).toEqual(['node_modules/uintr']);
  });

  test('gives import and require() the same objects under the same names', () => {
    const printed = runFile(
      'both.mjs',
      `import { createRequire } from 'node:module';
       import * as esm from 'uintr';
       const cjs = createRequire(import.meta.url)('uintr');
       const names = Object.keys(cjs).filter((name) => name !== '__esModule').sort();
       // Names that Node adds, some versions more than others.
       const esmNames = Object.keys(esm).filter((name) => !['__esModule', 'default', 'module.exports'].includes(name)).sort();
       console.log(JSON.stringify({ names, esmNames, different: names.filter((name) => esm[name] !== cjs[name]), world: typeof esm.World }));`,
    );
    const { names, esmNames, different, world } = JSON.parse(printed);
    expect(esmNames).toEqual(names);
    expect(different).toEqual([]);
    expect(world).toBe('function');
  });

  test('has uintr/doorbell, one and the same for import and require()', () => {
    const printed = runFile(
      'doorbell.mjs',
      `import { createRequire } from 'node:module';
       import { registerHandler, registerSender } from 'uintr/doorbell';
       const cjs = createRequire(import.meta.url)('uintr/doorbell');
       const receiver = registerHandler(() => {}, { driver: 'signal' });
       cjs.registerSender(receiver.createFd(5)).send();
       const vectors = receiver.wait(10_000);
       receiver.close();
       console.log(cjs.registerHandler === registerHandler, cjs.registerSender === registerSender, vectors);`,
    );
    expect(printed.trim()).toBe('true true 32n');
  });

  test('has uintr/sync, one and the same for import and require()', () => {
    const printed = runFile(
      'sync.mjs',
      `import { createRequire } from 'node:module';
       import { Mutex, SharedRegion } from 'uintr/sync';
       const cjs = createRequire(import.meta.url)('uintr/sync');
       const guard = new Mutex(SharedRegion.create()).lock();
       guard.unlock();
       console.log(cjs.Mutex === Mutex, cjs.SharedRegion === SharedRegion, guard.ownerDied);`,
    );
    expect(printed.trim()).toBe('true true false');
  });

  test('finds its binary and can load it', () => {
    const support = runFile('support.cjs', `console.log(JSON.stringify(require('uintr').support()))`);
    expect(support).not.toMatch(/no addon found|does not load/);
  });

  test('installs the uintr command', () => {
    const help = execFileSync(join(project, 'node_modules', '.bin', 'uintr'), ['--help'], { encoding: 'utf8' });
    expect(help).toMatch(/uintr run/);
  });

  // Plots are drawn by a package that only those need who want plots.
  test('says before it measures what plots need, and how to install it', () => {
    const uintr = join(project, 'node_modules', '.bin', 'uintr');
    for (const option of ['--svg', '--page']) {
      const { status, stdout, stderr } = spawnSync(uintr, ['bench', 'latency', option, 'plots'], {
        cwd: project,
        encoding: 'utf8',
      });
      expect(stderr).toBe(`uintr bench: ${option}: echarts: not installed (npm install echarts@6)\n`);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    }
    expect(existsSync(join(project, 'plots'))).toBe(false);
  });

  test.each([
    ['an ES module', 'mts'],
    ['a CommonJS module', 'cts'],
  ])('has types for %s', (_, extension) => {
    const typed = join(project, 'typed');
    mkdirSync(typed, { recursive: true });
    const file = join(typed, `program.${extension}`);
    writeFileSync(
      file,
      `import { World, support } from 'uintr';\nimport { type Receiver, registerHandler, registerSender, type Sender } from 'uintr/doorbell';\nimport { AtomicCounter, type LockGuard, Mutex, SharedRegion } from 'uintr/sync';\nexport const world: Promise<World> = World.join();\nexport const able = support();\nexport const receiver: Receiver = registerHandler((vectors: bigint) => vectors);\nexport const sender: Sender = registerSender(receiver.createFd(0));\nexport function count(): bigint {\n  using region = SharedRegion.create();\n  using guard: LockGuard = new Mutex(region, { adaptive: true }).lock();\n  return guard.ownerDied ? 0n : new AtomicCounter(region).fetchAdd(1);\n}\n`,
    );
    execFileSync(
      process.execPath,
      [
        join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--lib',
        'es2023,esnext.disposable',
        '--typeRoots',
        join(root, 'node_modules', '@types'),
        '--types',
        'node',
        file,
      ],
      { cwd: project, encoding: 'utf8' },
    );
  });
});
