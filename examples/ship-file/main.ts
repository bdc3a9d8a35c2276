// `npm start`: ships a large file between two processes while the receiver computes, once by interrupts and once without
// them (driver 'poll'), and shows how much of the transfer the computation did not notice.
import { join } from 'node:path';
import { formatBytes, formatNumber, renderTable } from '../../bench/lib/table.js';
import { runRanks } from '../lib/ranks.js';
import { hidden, type Result } from './result.js';

async function run(options: string[]): Promise<Result | undefined> {
  const { code, result } = await runRanks<Result>({ ranks: 2, script: join(__dirname, 'rank.js'), options });
  if (code === 0 && result?.correct) return result;
  console.error(`ship-file: the ranks ended with ${code}${result?.correct === false ? ': the SHA-256 is wrong' : ''}`);
  process.exitCode = 1;
  return result;
}

function show(results: Result[]): void {
  const [{ bytes, messages }] = results;
  const ms = (value: number) => `${formatNumber(value)} ms`;
  const row = (name: string, cell: (result: Result) => string) => [name, ...results.map(cell)];
  console.log(`${process.execPath}, ${formatBytes(bytes)}, in ${messages} messages from rank 0 to rank 1\n`);
  console.log(
    renderTable(
      row('', ({ driver }) => (driver === 'poll' ? "driver 'poll' (no interrupts)" : `driver '${driver}'`)),
      [
        row('how the pair copies', ({ copy }) => copy),
        row('computation alone', ({ computation }) => ms(computation)),
        row('transfer alone (rank 1 waits)', ({ transfer }) => ms(transfer)),
        row('both together', ({ together }) => ms(together)),
        row('of the transfer was hidden', (result) => `${Math.round(100 * hidden(result))} %`),
        row('interrupts handled by rank 1, per file', ({ interrupts }) => interrupts.toFixed(1)),
        row('SHA-256', ({ correct }) => (correct ? 'correct' : 'WRONG')),
      ],
    ),
  );
}

const more = `
More: UINTR_DRIVER=signal|poll|uintr, UINTR_COPY=heap|cma|pipeline and others choose how (npx uintr doctor says what works here);
      npx uintr bench --quick measures latency, bandwidth and overlap against Open MPI and Node's own channels.`;

async function main(): Promise<void> {
  const results = [await run([]), await run(['--driver', 'poll'])].filter((result) => result !== undefined);
  if (results.length > 0) show(results);
  if (process.exitCode === undefined) console.log(more);
}

void main();
