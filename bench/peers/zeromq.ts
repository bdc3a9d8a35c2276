// Peer: two processes and a pair of zeromq's sockets over ipc://.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadZeromq, type Socket } from '../lib/zeromq.js';
import { pinEnd, takePart } from './course.js';
import { MessagePort } from './port.js';

function portOf(socket: Socket): MessagePort {
  // A socket takes one message at a time.
  let last: Promise<void> = Promise.resolve();
  const port = new MessagePort((data) => {
    last = last.then(() => socket.send(data));
  });
  void (async () => {
    for await (const [data] of socket) port.arrived(data);
  })();
  return port;
}

async function first(): Promise<void> {
  pinEnd(0);
  const folder = mkdtempSync(join(tmpdir(), 'uintr-bench-'));
  const socket = new (loadZeromq().Pair)();
  const address = `ipc://${join(folder, 'socket')}`;
  await socket.bind(address);
  const child = spawn(process.execPath, [...process.argv.slice(1), address], { stdio: 'inherit' });
  child.once('exit', (code) => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code ?? 1);
  });
  await takePart(0, portOf(socket));
}

async function second(address: string): Promise<void> {
  pinEnd(1);
  const socket = new (loadZeromq().Pair)();
  socket.connect(address);
  await takePart(1, portOf(socket));
  socket.close();
}

const address = process.argv[4];
void (address === undefined ? first() : second(address));
