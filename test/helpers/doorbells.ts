// Declares the same tests for doorbells by signals and by user interrupts, and has what rings them from elsewhere.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Receiver } from '../../lib/doorbell.js';
import { environmentOf } from './matrix.js';
import { registry } from './registry.js';

export type DoorbellDriver = 'signal' | 'uintr';

/** Calls `declare` inside a describe block for each driver. */
export function eachDoorbell(declare: (driver: DoorbellDriver) => void): void {
  for (const driver of ['signal', 'uintr'] as const) {
    describe(`(doorbells by ${driver})`, () => {
      registry.withEnvironment(environmentOf(driver), () => declare(driver));
    });
  }
}

/** Computes, without the event loop, until `vector` was counted `atLeast` times. */
export function computeUntil(receiver: Receiver, vector: number, atLeast: bigint): void {
  while (receiver.count(vector) < atLeast);
}

const RINGER = join(__dirname, 'ringer.js');

/**
 * A process that has these descriptors from 3 on. It rings one for each line `<index> <times>` on its standard input, and
 * ends when that does. `generations`: how often the descriptors are passed on, from process to process.
 */
export function ringerProcess(fds: number[], orders = '', generations = 1): ChildProcess {
  const child = spawn(process.execPath, [RINGER, String(fds.length), String(generations)], {
    stdio: ['pipe', 'inherit', 'inherit', ...fds],
  });
  if (orders !== '') child.stdin!.end(orders);
  return child;
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** A thread that rings `fd` once for each step of the first word, and writes to the second when it has. */
export class RingerThread {
  readonly worker: Worker;
  readonly #steps = new Int32Array(new SharedArrayBuffer(8));

  constructor(fd: number) {
    this.worker = new Worker(RINGER, { workerData: { fd, steps: this.#steps } });
  }

  /** One more ring. Not waited for. */
  ring(): void {
    Atomics.add(this.#steps, 0, 1);
    Atomics.notify(this.#steps, 0);
  }

  /** How many there were. */
  get rung(): number {
    return Atomics.load(this.#steps, 1);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
