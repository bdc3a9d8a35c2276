#!/usr/bin/env node
// The command `uintr`.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { doctor } from './doctor.js';
import { UsageError } from './failure.js';
import { RUN_USAGE, run } from './run.js';

const USAGE = `usage:
  uintr run -n <ranks> …   start ranks (uintr run --help)
  uintr doctor [--json]    what works here, and why not what does not
  uintr bench …            measure (uintr bench --help)
  uintr --version
`;

// From dist/lib/cli, where this file is compiled to.
const ROOT = resolve(__dirname, '..', '..', '..');

async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'run':
      if (rest[0] === '--help' || rest[0] === '-h') return print(RUN_USAGE);
      return run(rest);
    case 'doctor':
      return doctor(rest);
    case 'bench':
      return bench(rest);
    case '--version':
      return print(
        `${(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version}\n`,
      );
    case '--help':
    case '-h':
      return print(USAGE);
    default:
      throw new UsageError(command === undefined ? 'no command' : `unknown command '${command}'`);
  }
}

/** The benchmarks lie outside the library, which does without them. */
function bench(rest: string[]): Promise<number> {
  const program = join(ROOT, 'dist', 'bench', 'main.js');
  if (!existsSync(program)) throw new Error(`no benchmarks found; looked for ${program}`);
  return (require(program) as { main(argv: string[]): Promise<number> }).main(rest);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    // Not process.exit(): output may still be under way to a pipe.
    process.exitCode ??= code;
  },
  (error: Error) => {
    process.stderr.write(`uintr: ${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
