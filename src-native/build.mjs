// Builds the addon: `node src-native/build.mjs [--clean | --sources engine|reduction|addon]`.
//
// A first build is prebuildify's, and what it leaves (prebuilds/linux-x64/uintr.node) is what the package ships. Later
// ones are incremental, because prebuildify always starts from nothing: node-gyp in build/, then the same strip into the
// same place. When nothing changed, nothing runs.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prebuilt = join('prebuilds', 'linux-x64', 'uintr.node');
const archives = ['uintr_engine.a', 'uintr_reduction.a'];
// What build/ was configured for; kept inside it, so that it goes when build/ goes.
const stamp = join('build', 'configured-for.json');

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

// Which archive a source belongs to follows from where it lies and what it is called, so that a new file needs no list.
function sources(which) {
  const isSource = (file) => /\.(cc|S)$/.test(file);
  const isHandler = (file) => /_handler\.(cc|S)$/.test(file);
  const inside = (...folders) => folders.flatMap((name) => filesIn(join('src-native', name))).filter(isSource);
  const drivers = inside('drivers');
  if (which === 'engine') return [...inside('engine'), ...drivers.filter(isHandler)];
  if (which === 'reduction') return inside('reduction');
  if (which === 'addon')
    return [...inside('addon', 'bootstrap', 'sync'), ...drivers.filter((file) => !isHandler(file))];
  throw new Error(`--sources takes engine, reduction or addon, not ${which}`);
}

function run(command, args, env = process.env) {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error) {
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) {
    console.error(`${command} ${args.join(' ')} ended with ${signal ?? status}`);
    process.exit(status || 1);
  }
}

// What a new configure would depend on.
function configuration() {
  return JSON.stringify({
    node: process.version,
    execPath: process.execPath,
    cxx: process.env.CXX ?? '',
    gyp: statSync('binding.gyp').mtimeMs,
    sources: ['engine', 'reduction', 'addon'].map(sources),
  });
}

function isCurrent(wanted) {
  const made = [prebuilt, stamp, ...archives.map((name) => join('build', 'Release', name))];
  if (!made.every((file) => existsSync(file))) return false;
  if (readFileSync(stamp, 'utf8') !== wanted) return false;
  const built = statSync(prebuilt).mtimeMs;
  return ['binding.gyp', ...filesIn('src-native')].every((file) => statSync(file).mtimeMs < built);
}

// node-gyp would download the headers of the running Node; where they were installed with it, it need not.
function environment() {
  const prefix = dirname(dirname(process.execPath));
  const env = { ...process.env };
  env.JOBS ??= 'max';
  env.npm_config_loglevel ??= 'warn';
  if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) env.npm_config_nodedir = prefix;
  env.PATH = `${join(root, 'node_modules', '.bin')}:${env.PATH}`;
  return env;
}

function build() {
  const wanted = configuration();
  if (isCurrent(wanted)) return;
  // Inputs that change while the compiler runs must count as newer than what it makes.
  const started = new Date();
  const env = environment();
  const gyp = ['--release', `--target=${process.versions.node}`];
  const configured = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;

  if (configured === undefined) {
    run('prebuildify', ['--napi', '--strip', '-t', process.versions.node], env);
  } else {
    if (configured !== wanted) {
      run('node-gyp', ['configure', ...gyp], env);
      // make links again when an object is newer than the archive, and so not when one has gone.
      for (const name of [...archives, 'uintr.node']) {
        rmSync(join('build', 'Release', name), { force: true });
        rmSync(join('build', 'Release', 'obj.target', name), { force: true });
      }
    }
    run('node-gyp', ['build', ...gyp], env);
    // Beside its place, then renamed: a process that has the old one mapped keeps it.
    mkdirSync(dirname(prebuilt), { recursive: true });
    copyFileSync(join('build', 'Release', 'uintr.node'), `${prebuilt}.new`);
    run(env.PREBUILD_STRIP_BIN ?? 'strip', ['--strip-all', `${prebuilt}.new`], env);
    renameSync(`${prebuilt}.new`, prebuilt);
  }
  utimesSync(prebuilt, started, started);
  writeFileSync(stamp, wanted);
}

process.chdir(root);
const [option, value] = process.argv.slice(2);
if (option === '--sources') {
  console.log(sources(value).join('\n'));
} else if (option === '--clean') {
  for (const folder of ['build', 'dist', 'prebuilds', join('test', 'native', 'build')]) {
    rmSync(folder, { recursive: true, force: true });
  }
} else if (option !== undefined) {
  console.error('usage: node src-native/build.mjs [--clean | --sources engine|reduction|addon]');
  process.exit(2);
} else if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log(`uintr: nothing to build on ${process.platform} ${process.arch}`);
} else if (process.env.UINTR_BUILD_LOCKED === undefined && spawnSync('flock', ['--version']).status === 0) {
  // Two builds in one folder would overwrite each other's objects; the second waits, and then has nothing to do.
  run('flock', ['binding.gyp', process.execPath, fileURLToPath(import.meta.url)], {
    ...process.env,
    UINTR_BUILD_LOCKED: '1',
  });
} else {
  build();
}
