// Peer: two processes and a Unix socket by node:net.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinEnd, takePart } from './course.js';
import { StreamPort } from './port.js';

function portOf(socket: Socket): StreamPort {
  const port = new StreamPort((data) => socket.write(data));
  socket.on('data', port.arrived);
  return port;
}

function first(): void {
  pinEnd(0);
  const folder = mkdtempSync(join(tmpdir(), 'uintr-bench-'));
  const path = join(folder, 'socket');
  const server = createServer(async (socket) => {
    server.close();
    await takePart(0, portOf(socket));
    socket.end();
  });
  server.listen(path, () => {
    const child = spawn(process.execPath, [...process.argv.slice(1), path], { stdio: 'inherit' });
    child.once('exit', (code) => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(code ?? 1);
    });
  });
}

function second(path: string): void {
  pinEnd(1);
  const socket = connect(path, async () => {
    await takePart(1, portOf(socket));
    socket.end();
  });
}

const path = process.argv[4];
if (path === undefined) first();
else second(path);
