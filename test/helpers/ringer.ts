// Rings doorbells for a test (doorbells.ts): as a process, or as a worker.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isMainThread, workerData } from 'node:worker_threads';
import { registerSender } from '../../lib/doorbell.js';

function asProcess(count: number, generations: number): void {
  const fds = Array.from({ length: count }, (_, i) => i + 3);
  if (generations > 1) {
    const next = [__filename, String(count), String(generations - 1)];
    spawn(process.execPath, next, { stdio: ['inherit', 'inherit', 'inherit', ...fds] });
    return;
  }
  const senders = fds.map(registerSender);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [index, times] = line.split(' ').map(Number);
    for (let i = 0; i < times!; i += 1) senders[index!]!.send();
  });
}

function asWorker({ fd, steps }: { fd: number; steps: Int32Array }): void {
  const sender = registerSender(fd);
  for (let done = 0; ; ) {
    Atomics.wait(steps, 0, done);
    for (const wanted = Atomics.load(steps, 0); done < wanted; done += 1) {
      sender.send();
      Atomics.store(steps, 1, done + 1);
    }
  }
}

if (isMainThread) asProcess(Number(process.argv[2]), Number(process.argv[3]));
else asWorker(workerData);
