// What `uintr run` starts in run.test.ts: `node rank-program.js <what to do>`.
import { writeSync } from 'node:fs';
import { World } from '../../lib/index.js';

const [what] = process.argv.slice(2);

/** Until something ends this process, whatever it thinks of SIGTERM. */
function stay(): void {
  setInterval(() => {}, 1000);
  console.log('ready');
}

/** No event loop of these ranks turns any more, and none of their threads is left to write what another has to say. */
function stuck(world: World, how: string): void {
  const request = world.irecv({ source: (world.rank + 1) % world.size, tag: 42 });
  if (world.rank !== 0) world.send(new Uint8Array(0), { dest: 0, tag: 41 });
  writeSync(1, 'ready\n');
  if (how === 'stuck-in-wait') request.wait();
  while (!request.done);
}

async function main(): Promise<void> {
  switch (what) {
    case 'stay':
      return stay();
    case 'stubborn':
      process.on('SIGTERM', () => console.log('no'));
      return stay();
    case 'count-interrupts': {
      let count = 0;
      process.on('SIGINT', () => {
        count += 1;
        setTimeout(() => {
          console.log(`interrupted ${count} times`);
          process.exit(0);
        }, 300);
      });
      return stay();
    }
    case 'environment':
      console.log(JSON.stringify(process.argv.slice(3)), process.env['UINTR_DRIVER'], process.env['UINTR_EAGER_LIMIT']);
      return;
    case 'echo':
      for await (const chunk of process.stdin) process.stdout.write(chunk as Buffer);
      return;
    case 'join': {
      const world = await World.join();
      console.log(`rank ${world.rank} of ${world.size}, ${String(process.env['UINTR_BOOTSTRAP'])}`);
      return world.close();
    }
    case 'stuck': {
      const world = await World.join();
      console.log('ready');
      await world.recv({ source: 1 - world.rank, tag: 42 });
      return;
    }
    case 'stuck-in-wait':
    case 'stuck-in-done': {
      const world = await World.join();
      stuck(world, what);
      return;
    }
    case 'stuck-in-threads': {
      const world = await World.spawn(__filename, { ranks: 2, kind: 'thread', args: ['stuck-in-wait'] });
      // They need this thread until they run.
      for (const source of [1, 2]) await world.recv({ source, tag: 41 });
      stuck(world, 'stuck-in-wait');
      return;
    }
    case 'fail-after-join': {
      const world = await World.join();
      if (world.rank === 1) process.exit(7);
      return stay();
    }
    case 'stubborn-until-killed': {
      const world = await World.join();
      if (world.rank === 0) {
        process.on('SIGTERM', () => console.log('no'));
        stay();
      }
      // Only then, so that rank 0 is surely there to refuse.
      await (world.rank === 0
        ? world.send(new Uint8Array(1), { dest: 1, tag: 1 })
        : world.recv(new Uint8Array(1), { source: 0, tag: 1 }));
      if (world.rank === 1) process.exit(7);
      return;
    }
    default:
      throw new Error(`what is '${what}'?`);
  }
}

main().catch((error: Error & { code?: string }) => {
  console.error(error.code ?? '', error.message);
  process.exit(3);
});
