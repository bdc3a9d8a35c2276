// `node dist/examples/service/main.js [requests] [bytes] [workers]`: an HTTP front that has images filtered, and JSON
// batches of orders added up, by workers and is to stay responsive meanwhile; the same with the workers behind uintr,
// behind child_process and behind postMessage. A batch has a sixteenth of the bytes of an image.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { formatBytes, formatNumber, renderTable } from '../../bench/lib/table.js';
import type { Order } from './batch.js';
import { startChildren } from './children.js';
import type { Load, LoadResult } from './client.js';
import type { Pool } from './pool.js';
import { startRanks } from './ranks.js';
import { startThreads } from './threads.js';

const POOLS: [string, (workers: number) => Promise<Pool>][] = [
  ['uintr', startRanks],
  ['child_process', startChildren],
  ['postMessage', startThreads],
];

interface Result extends LoadResult {
  /** Of the front's event loop, in milliseconds: how much later than asked a timer ran. */
  delay: { median: number; p99: number; max: number };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function answerTo(request: IncomingMessage, pool: Pool): Promise<Uint8Array | string> {
  const body = await bodyOf(request);
  if (request.headers['content-type'] === 'application/json') {
    const orders: Order[] = JSON.parse(body.toString());
    return JSON.stringify(await pool.run(orders));
  }
  return (await pool.run({ width: 512, pixels: body })).pixels;
}

/** One front, under one load. */
async function measure(pool: Pool, load: Omit<Load, 'port'>): Promise<Result> {
  const front = createServer((request, response) => {
    answerTo(request, pool).then(
      (answer) => response.end(answer),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  front.listen(0);
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const client = fork(join(__dirname, 'client.js'), [JSON.stringify({ ...load, port })]);
  const [result] = (await once(client, 'message')) as [LoadResult];
  histogram.disable();
  front.close();
  // The histogram counts the millisecond that it waits.
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 1);
  const delay = { median: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
  return { ...result, delay };
}

async function main([
  requests = 400,
  bytes = 1 << 20,
  workers = Math.max(1, availableParallelism() - 1),
]: number[]): Promise<void> {
  const atOnce = 2 * workers;
  const loads: Omit<Load, 'port'>[] = [
    { kind: 'images', requests, bytes, atOnce },
    { kind: 'batches', requests, bytes: Math.ceil(bytes / 16), atOnce },
  ];
  const pools = await Promise.all(POOLS.map(([, start]) => start(workers)));
  const measureAll = async (load: Omit<Load, 'port'>): Promise<Result[]> => {
    const results: Result[] = [];
    for (const pool of pools) results.push(await measure(pool, load));
    return results;
  };
  // The front compiles its code while it runs: who is measured first is not to pay for that.
  for (const load of loads) await measureAll({ ...load, requests: Math.ceil(requests / 4) });
  for (const load of loads) report(load, workers, await measureAll(load));
  await Promise.all(pools.map((pool) => pool.close()));
}

function report({ kind, requests, bytes, atOnce }: Omit<Load, 'port'>, workers: number, results: Result[]): void {
  console.log(
    `\n${process.execPath}, ${requests} ${kind} of ${formatBytes(bytes)}, ${atOnce} at once, ${workers} workers\n`,
  );
  const row = (name: string, cell: (result: Result) => string): string[] => [name, ...results.map(cell)];
  const ms = (value: number): string => `${formatNumber(value)} ms`;
  console.log(
    renderTable(
      ['workers behind', ...POOLS.map(([name]) => name)],
      [
        row(`${kind} per second`, ({ milliseconds }) => formatNumber((requests * 1000) / milliseconds)),
        row("delay of the front's event loop, median", ({ delay }) => ms(delay.median)),
        row('99th percentile', ({ delay }) => ms(delay.p99)),
        row('most', ({ delay }) => ms(delay.max)),
        row(kind, ({ correct }) => (correct ? 'correct' : 'WRONG')),
      ],
    ),
  );
  if (!results.every(({ correct }) => correct)) process.exitCode = 1;
}

if (require.main === module) void main(process.argv.slice(2).map(Number));
