// Asks the front for filtered images or the totals of orders, so many at a time, and looks at what comes back: a process
// of its own, so that the front's event loop is the front's alone.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { addUp, someOrders } from './batch.js';
import { filter } from './image.js';

export interface Load {
  port: number;
  kind: 'images' | 'batches';
  requests: number;
  atOnce: number;
  bytes: number;
}

export interface LoadResult {
  milliseconds: number;
  correct: boolean;
}

function ask(port: number, kind: Load['kind'], body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': kind === 'batches' ? 'application/json' : 'application/octet-stream' };
    const asking = request({ port, method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** What is sent, and what is to come back. */
function exchangeOf({ kind, bytes }: Load): { body: Buffer; expected: Uint8Array } {
  if (kind === 'batches') {
    const orders = someOrders(bytes);
    return { body: Buffer.from(JSON.stringify(orders)), expected: Buffer.from(JSON.stringify(addUp(orders))) };
  }
  const body = Buffer.alloc(bytes, randomBytes(4099));
  return { body, expected: filter({ width: 512, pixels: body }).pixels };
}

async function main(load: Load): Promise<LoadResult> {
  const { port, kind, requests, atOnce } = load;
  const { body, expected } = exchangeOf(load);
  let left = requests;
  let correct = true;
  const start = performance.now();
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      correct = Buffer.compare(await ask(port, kind, body), expected) === 0 && correct;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { milliseconds: performance.now() - start, correct };
}

if (require.main === module) void main(JSON.parse(process.argv[2]!)).then((result) => process.send!(result));
