// Asks the front for filtered images, so many at a time, and looks at what comes back: a process of its own, so that
// the front's event loop is the front's alone.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { filter } from './image.js';

export interface Load {
  port: number;
  requests: number;
  atOnce: number;
  bytes: number;
}

export interface LoadResult {
  milliseconds: number;
  correct: boolean;
}

function ask(port: number, image: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asking = request({ port, method: 'POST' }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
    });
    asking.on('error', reject);
    asking.end(image);
  });
}

async function main({ port, requests, atOnce, bytes }: Load): Promise<LoadResult> {
  const image = Buffer.alloc(bytes, randomBytes(4099));
  const expected = filter({ width: 512, pixels: image }).pixels;
  let left = requests;
  let correct = true;
  const start = performance.now();
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      correct = Buffer.compare(await ask(port, image), expected) === 0 && correct;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { milliseconds: performance.now() - start, correct };
}

if (require.main === module) void main(JSON.parse(process.argv[2]!)).then((result) => process.send!(result));
