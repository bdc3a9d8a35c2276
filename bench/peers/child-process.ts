// Peer: child_process with an IPC channel and structured clones.
import { fork } from 'node:child_process';
import { pinEnd, takePart } from './course.js';
import { MessagePort } from './port.js';

async function first(): Promise<void> {
  pinEnd(0);
  const child = fork(__filename, [...process.argv.slice(2), 'child'], { serialization: 'advanced' });
  child.once('exit', (code) => process.exit(code ?? 1));
  const port = new MessagePort((data) => child.send(data));
  child.on('message', (message) => port.arrived(message as unknown as Uint8Array));
  await takePart(0, port);
  child.disconnect();
}

async function second(): Promise<void> {
  pinEnd(1);
  const port = new MessagePort((data) => process.send!(data));
  process.on('message', (message) => port.arrived(message as Uint8Array));
  await takePart(1, port);
}

void (process.argv[4] === undefined ? first() : second());
