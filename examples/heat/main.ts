// node dist/examples/heat/main.js [<ranks> <columns> <rows> <steps>]: solves the heat equation on a plate whose rows are
// split over ranks, with and without computing while the halos are under way; once by interrupts and once without them
// (driver 'poll').
import { join } from 'node:path';
import { formatNumber, renderTable } from '../../bench/lib/table.js';
import { runRanks } from '../lib/ranks.js';
import type { Result, Times } from './result.js';

// Long rows, so that a halo (256 KiB) is worth hiding.
const [ranks = 4, columns = 32_768, rows = 256, steps = 50] = process.argv.slice(2).map(Number);

async function run(options: string[]): Promise<Result | undefined> {
  const args = [columns, rows, steps].map(String);
  const { code, result } = await runRanks<Result>({ ranks, script: join(__dirname, 'rank.js'), args, options });
  if (code === 0 && result?.correct) return result;
  console.error(`heat: the ranks ended with ${code}${result?.correct === false ? ': not what one computes' : ''}`);
  process.exitCode = 1;
  return result;
}

function show(results: Result[]): void {
  const ms = (value: number) => `${formatNumber(value)} ms`;
  const row = (name: string, cell: (result: Result) => string) => [name, ...results.map(cell)];
  const part = (result: Result, { waiting }: Times) =>
    `${ms(waiting)} (${formatNumber(waiting / result.steps)} a step)`;
  console.log(`${columns} x ${rows} cells, ${steps} steps, by ${ranks} ranks; halos of ${(columns * 8) / 1024} KiB\n`);
  console.log(
    renderTable(
      row('', ({ driver }) => (driver === 'poll' ? "driver 'poll' (no interrupts)" : `driver '${driver}'`)),
      [
        row('one process', ({ serial }) => ms(serial)),
        row('halos first, then all rows', ({ waited }) => ms(waited.all)),
        row('  of that, waiting for halos', (result) => part(result, result.waited)),
        row('inner rows while halos are under way', ({ overlapped }) => ms(overlapped.all)),
        row('  of that, waiting for halos', (result) => part(result, result.overlapped)),
        row('result', ({ correct }) => (correct ? 'as of one, to the last bit' : 'WRONG')),
      ],
    ),
  );
}

async function main(): Promise<void> {
  const results = [await run([]), await run(['--driver', 'poll'])].filter((result) => result !== undefined);
  if (results.length > 0) show(results);
}

void main();
