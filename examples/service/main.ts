// `node dist/examples/service/main.js [requests] [bytes] [workers]`: an HTTP front that has images filtered by workers and
// is to stay responsive meanwhile; the same with the workers behind uintr, behind child_process and behind postMessage.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { formatBytes, formatNumber, renderTable } from '../../bench/lib/table.js';
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

/** One front, under one load. */
async function measure(
  start: (workers: number) => Promise<Pool>,
  workers: number,
  load: Omit<Load, 'port'>,
): Promise<Result> {
  const pool = await start(workers);
  const front = createServer((request, response) => {
    bodyOf(request)
      .then((pixels) => pool.filter({ width: 512, pixels }))
      .then(
        ({ pixels }) => response.end(pixels),
        (error) => response.writeHead(500).end(String(error)),
      );
  });
  front.listen(0);
  await once(front, 'listening');
  const under = (requests: number): Promise<LoadResult> => {
    const { port } = front.address() as AddressInfo;
    const client = fork(join(__dirname, 'client.js'), [JSON.stringify({ ...load, requests, port })]);
    return once(client, 'message').then(([result]) => result);
  };
  await under(Math.ceil(load.requests / 10)); // What is compiled and connected once.
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const result = await under(load.requests);
  histogram.disable();
  front.close();
  await pool.close();
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
  const load = { requests, bytes, atOnce: 2 * workers };
  console.log(
    `${process.execPath}, ${requests} images of ${formatBytes(bytes)}, ${load.atOnce} at once, ${workers} workers\n`,
  );
  const results: Result[] = [];
  for (const [, start] of POOLS) results.push(await measure(start, workers, load));
  const row = (name: string, cell: (result: Result) => string): string[] => [name, ...results.map(cell)];
  const ms = (value: number): string => `${formatNumber(value)} ms`;
  console.log(
    renderTable(
      ['workers behind', ...POOLS.map(([name]) => name)],
      [
        row('images per second', ({ milliseconds }) => formatNumber((requests * 1000) / milliseconds)),
        row("delay of the front's event loop, median", ({ delay }) => ms(delay.median)),
        row('99th percentile', ({ delay }) => ms(delay.p99)),
        row('most', ({ delay }) => ms(delay.max)),
        row('images', ({ correct }) => (correct ? 'correct' : 'WRONG')),
      ],
    ),
  );
  if (!results.every(({ correct }) => correct)) process.exitCode = 1;
}

if (require.main === module) void main(process.argv.slice(2).map(Number));
