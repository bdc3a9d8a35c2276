// Reads what gcov has counted: `node coverage.mjs <folder of .gcda files>`. Prints a table of the engine's files and the
// lines that nothing has run, and fails where fewer than 95 % of all lines were, or where COVERAGE.md does not say why a
// function has such lines. Ends with a line 'coverage: N passed, M failed', which counts files.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const LEAST = 95;
const root = realpathSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..'));
const engine = join(root, 'src-native', 'engine');
const folder = resolve(process.argv[2]);

/** file → line → how often it was run, in all programs together, and in which function it is. */
const counts = new Map();
const data = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.gcda'));
for (const name of data) {
  const told = execFileSync('gcov', ['--json-format', '--stdout', join(folder, name)], {
    cwd: join(root, 'test', 'native'), // the compiler's, so that relative names are those of sources
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  for (const { file, lines, functions } of JSON.parse(told).files) {
    const path = resolve(root, 'test', 'native', file);
    if (!path.startsWith(`${engine}/`)) continue;
    const of = counts.get(path) ?? new Map();
    counts.set(path, of);
    const names = new Map(functions.map(({ name, demangled_name: shown }) => [name, bare(shown)]));
    for (const { line_number: line, count, function_name: name } of lines) {
      const known = of.get(line);
      of.set(line, { count: (known?.count ?? 0) + count, name: known?.name ?? names.get(name) });
    }
  }
}

/** uintr::Engine::post_send(uintr::Send const&) → Engine::post_send */
function bare(name) {
  return name?.replace(/\(.*$/, '').replaceAll('uintr::', '').split(' ').at(-1);
}

/** 3, 4, 5, 9 → "3-5, 9" */
function ranges(lines) {
  const found = [];
  for (const line of lines) {
    if (found.at(-1)?.[1] === line - 1) found.at(-1)[1] = line;
    else found.push([line, line]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

// Lines "- `engine.cc` `Engine::drain`, `Engine::copying`: why".
const explained = new Set();
for (const line of readFileSync(join(root, 'test', 'native', 'COVERAGE.md'), 'utf8').split('\n')) {
  const match = /^- `([\w.]+)` ((?:`[\w:~]+`(?:, )?)+):/.exec(line);
  for (const [, name] of match?.[2].matchAll(/`([^`]+)`/g) ?? []) explained.add(`${match[1]} ${name}`);
}

let files = 0;
let lines = 0;
let run = 0;
const missing = new Set();
const used = new Set();
const percent = (part, whole) => `${((100 * part) / whole).toFixed(1).padStart(5)} %`;
console.log(`${'file'.padEnd(20)}  lines     run         not run`);
for (const [path, of] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (of.size === 0) continue;
  const missed = [...of].filter(([, { count }]) => count === 0).map(([line]) => line);
  missed.sort((a, b) => a - b);
  for (const line of missed) {
    const where = `${relative(engine, path)} ${of.get(line).name}`;
    (explained.has(where) ? used : missing).add(where);
  }
  files += 1;
  lines += of.size;
  run += of.size - missed.length;
  const figures = `${`${of.size}`.padStart(5)}  ${`${of.size - missed.length}`.padStart(5)} ${percent(of.size - missed.length, of.size)}`;
  console.log(`${relative(engine, path).padEnd(20)}  ${figures}  ${ranges(missed)}`);
}
if (lines === 0) throw new Error(`no counts for ${engine} in ${folder}`);
console.log(
  `coverage of the engine: ${run} of ${lines} lines, ${percent(run, lines).trim()}; at least ${LEAST} % is wanted`,
);
for (const where of missing) console.log(`COVERAGE.md does not say why lines of ${where} are not run`);
for (const where of explained)
  if (!used.has(where)) console.log(`all lines of ${where} are run: COVERAGE.md need not name it`);
const unexplained = new Set([...missing].map((where) => where.split(' ')[0])).size;
const enough = (100 * run) / lines >= LEAST;
const failed = unexplained + (enough ? 0 : 1);
console.log(`coverage: ${files - unexplained} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
