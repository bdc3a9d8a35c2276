// uintr/doorbell: what is refused, and every end of a receiver, a sender, a thread and a process.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type HandlerOptions, registerHandler, registerSender, type Sender } from '../../lib/doorbell.js';
import { support } from '../../lib/index.js';
import { computeUntil, type DoorbellDriver, eachDoorbell } from '../helpers/doorbells.js';
import { coded, invalid } from '../helpers/errors.js';
import { environmentOf } from '../helpers/matrix.js';
import { mappedFiles, openDescriptors } from '../helpers/proc.js';
import { cleanEnvironment, processTest } from '../helpers/rank-test.js';

const ignore = (): void => {};
const closed = coded('ERR_UINTR_CLOSED', 'closed');
const peerExited = coded('ERR_UINTR_PEER_EXITED', 'gone');

function fixture(name: string): string {
  return join(__dirname, 'fixtures', name);
}

eachDoorbell((driver) => {
  processTest('1. bad arguments are named, with their values', 1, () => {
    const register = registerHandler as (...args: unknown[]) => unknown;
    assert.throws(() => register(undefined), invalid('onInterrupt', 'undefined'));
    assert.throws(() => register(ignore, { driver: 'poll' }), invalid('driver', "'poll'"));
    assert.throws(() => register(ignore, { drivers: 'signal' }), invalid('drivers'));
    assert.throws(() => register(ignore, { driver: 'signal', signal: '' }), invalid('signal', "''"));
    assert.throws(() => register(ignore, { driver: 'signal', signal: 'SIGKILL' }), invalid('signal', 'SIGKILL'));
    const receiver = registerHandler(ignore, { driver });
    for (const vector of [-1, 64, 1.5, '3', 3n, undefined]) {
      assert.throws(() => receiver.createFd(vector as number), invalid('vector'));
      assert.throws(() => receiver.count(vector as number), invalid('vector'));
    }
    assert.throws(() => receiver.wait(-1), invalid('timeoutMs', '-1'));
    assert.throws(() => receiver.wait(Number.NaN), invalid('timeoutMs', 'NaN'));
    for (const fd of [-1, 0.5, 2 ** 31, '3', undefined]) {
      assert.throws(() => registerSender(fd as number), invalid('fd'));
    }
    receiver.close();
  });

  processTest('2. a descriptor that is no doorbell is refused by its number', 1, () => {
    const file = openSync(__filename, 'r');
    const nothing = openSync('/dev/null', 'r+');
    closeSync(nothing);
    for (const fd of [file, nothing, 1]) assert.throws(() => registerSender(fd), invalid('fd', `it is ${fd}`));
    closeSync(file);
  });

  processTest('3. a vector in use is refused, until it is given back', 1, () => {
    const receivers = [registerHandler(ignore, { driver }), registerHandler(ignore, { driver })];
    closeSync(receivers[0]!.createFd(17));
    for (const receiver of receivers) assert.throws(() => receiver.createFd(17), invalid('vector', '17'));
    receivers[0]!.close();
    closeSync(receivers[1]!.createFd(17));
    receivers[1]!.close();
  });

  processTest('4. a closed receiver answers with ERR_UINTR_CLOSED, and is not called again', 1, async () => {
    const receiver = registerHandler(() => assert.fail('called'), { driver });
    const sender = registerSender(receiver.createFd(1));
    sender.send();
    receiver.close();
    receiver.close();
    receiver[Symbol.dispose]();
    assert.throws(() => receiver.createFd(2), closed);
    assert.throws(() => receiver.count(1), closed);
    assert.throws(() => receiver.wait(), closed);
    receiver.ref().unref();
    sender.send();
    for (let i = 0; i < 3; i += 1) await turn();
    sender.close();
    sender.close();
    assert.throws(() => sender.send(), closed);
  });

  processTest('5. a sender to a closed receiver is silent, and a new one is refused', 1, () => {
    const receiver = registerHandler(ignore, { driver });
    const fd = receiver.createFd(1);
    const sender = registerSender(fd);
    receiver.close();
    for (let i = 0; i < 10; i += 1) sender.send();
    // A kernel knows only that a thread has user interrupts, not who on it has closed what.
    if (driver === 'signal') assert.throws(() => registerSender(fd), peerExited);
    closeSync(fd);
  });

  it.each([['computing'], ['sleeping'], ['waiting']])(
    '6. a worker that is terminated while it is rung, %s',
    async (state) => {
      await runsWell(fixture('doorbell-terminated.js'), driver, state);
    },
  );

  it.each([['computing'], ['sleeping'], ['waiting']])(
    '7. process.exit() beside a worker that is rung, %s',
    async (state) => {
      await runsWell(fixture('doorbell-terminated.js'), driver, state, 'exit');
    },
  );

  processTest('8. a process that ends with everything open ends well', 1, () => {
    const receiver = registerHandler(ignore, { driver }).unref();
    const sender = registerSender(receiver.createFd(1));
    process.once('exit', () => {
      for (let i = 0; i < 100; i += 1) sender.send();
    });
  });

  processTest(
    '9. nothing is left of closed receivers and of senders that were dropped',
    { ranks: 1, nodeOptions: ['--expose-gc'] },
    async () => {
      const held = (): unknown => [
        openDescriptors().size,
        mappedFiles().filter((name) => name.includes('memfd')).length,
      ];
      const round = async (): Promise<void> => {
        for (let i = 0; i < 60; i += 1) {
          const receiver = registerHandler(ignore, { driver });
          const fd = receiver.createFd(i % 64);
          for (let j = 0; j < 3; j += 1) registerSender(fd).send();
          receiver.close();
          closeSync(fd);
          await turn();
        }
        for (let i = 0; i < 5; i += 1) {
          (globalThis as { gc?: () => void }).gc!();
          await turn();
        }
      };
      await round();
      const before = held();
      // With user interrupts more than the table holds, were they not given back.
      await round();
      assert.deepEqual(held(), before);
    },
  );

  processTest('10. senders end where the target table ends, or nowhere', 1, () => {
    const receiver = registerHandler(ignore, { driver });
    const fd = receiver.createFd(1);
    const senders: Sender[] = [];
    const fill = (): void => {
      while (senders.length < 300) senders.push(registerSender(fd));
    };
    if (driver === 'uintr') {
      assert.throws(fill, (error) => {
        coded('ERR_UINTR_NO_MEMORY')(error);
        assert.equal((error as { errno?: number }).errno, 28);
        return true;
      });
      assert.ok(senders.length > 200, `${senders.length}`);
      senders.pop()!.close();
      senders.push(registerSender(fd));
    } else {
      fill();
    }
    senders.at(-1)!.send();
    computeUntil(receiver, 1, 1n);
    for (const sender of senders) sender.close();
    receiver.close();
  });
});

describe('doorbells by signal', () => {
  const bySignal: HandlerOptions = { driver: 'signal', signal: 'SIGIO' };
  // src-native/drivers/doorbell_page.h
  const VERSION = 8;
  const VECTOR = 12;
  const PID = 16;
  const TID = 20;
  const SIGNAL = 24;
  const START_TIME = 32;
  const NAMESPACE = 40;
  const UPID = 64;

  function words(fd: number, at: number, count = 1): Int32Array<ArrayBuffer> {
    const into = new Int32Array(count);
    readSync(fd, into, 0, into.byteLength, at);
    return into;
  }
  function put(fd: number, at: number, ...values: number[]): void {
    writeSync(fd, Int32Array.from(values), 0, values.length * 4, at);
  }

  processTest('11. what a faulty holder of the descriptor wrote is refused, and signals nobody', 1, () => {
    const receiver = registerHandler(ignore, bySignal);
    const fd = receiver.createFd(1);
    const garbage: [number, number, (error: unknown) => true][] = [
      [0, 1, invalid('fd')],
      [VERSION, 2, coded('ERR_UINTR_UNSUPPORTED', 'version')],
      [VECTOR, 64, invalid('fd')],
      [PID, 0, invalid('fd')],
      [PID, -1, invalid('fd')],
      [TID, 0, invalid('fd')],
      [SIGNAL, 9, invalid('fd')],
      [SIGNAL, 15, invalid('fd')],
      [SIGNAL, 1 << 20, invalid('fd')],
      // As if they were used again: another process, a thread that began at another time.
      [PID, process.ppid, peerExited],
      [START_TIME, 5, peerExited],
      [NAMESPACE, 5, coded('ERR_UINTR_UNSUPPORTED', 'namespace')],
    ];
    for (const [at, value, refused] of garbage) {
      const [honest] = words(fd, at);
      put(fd, at, value);
      assert.throws(() => registerSender(fd), refused, `${value} at ${at}`);
      put(fd, at, honest!);
    }
    const sender = registerSender(fd);
    // What it needs it has copied.
    put(fd, PID, 1, 1, 9);
    sender.send();
    computeUntil(receiver, 1, 1n);
    receiver.close();
  });

  processTest('12. its length is sealed, so that touching it is safe', 1, () => {
    const receiver = registerHandler(ignore, bySignal);
    const fd = receiver.createFd(1);
    for (const length of [0, 8192]) assert.throws(() => ftruncateSync(fd, length), { code: 'EPERM' });
    receiver.close();
  });

  processTest('13. a sender killed before it signals stops neither those after it nor the receiver', 1, async () => {
    let called: () => void;
    const receiver = registerHandler(() => called(), bySignal);
    const fd = receiver.createFd(1);
    const sender = registerSender(fd);
    // ON, and nobody signals.
    put(fd, UPID, 1);
    while (receiver.count(1) === 0n) sender.send();
    receiver.wait(0);
    // The bit too, for a loop that sleeps.
    const call = new Promise<void>((resolve) => {
      called = resolve;
    });
    await turn();
    setTimeout(() => put(fd, UPID, 1, 0, 2, 0), 5);
    await call;
    assert.equal(receiver.count(1) > 1n, true);
    receiver.close();
  });

  processTest('14. senders to a process that was killed are silent, and new ones refused', 1, async () => {
    const child = spawn(process.execPath, [fixture('doorbell-sleeper.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const number = String((await once(child.stdout, 'data'))[0]).trim();
    const fd = openSync(`/proc/${child.pid}/fd/${number}`, 'r+');
    const sender = registerSender(fd);
    sender.send();
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let i = 0; i < 1_000; i += 1) sender.send();
    assert.throws(() => registerSender(fd), peerExited);
  });

  processTest("15. a signal with a handler of the program's own is refused", 1, () => {
    process.on('SIGIO', ignore);
    assert.throws(() => registerHandler(ignore, bySignal), coded('ERR_UINTR_UNSUPPORTED', 'handler of its own'));
    const receiver = registerHandler(ignore, { driver: 'signal' });
    receiver.close();
  });

  processTest(
    '16. one that the program takes over later: a warning, and rings are heard by loop and wait()',
    1,
    async () => {
      const warnings: unknown[] = [];
      process.on('warning', (warning) => warnings.push((warning as { code?: string }).code));
      let called: () => void = ignore;
      const receiver = registerHandler(() => called(), bySignal);
      const sender = registerSender(receiver.createFd(1));
      let heard = 0;
      process.on('SIGIO', () => {
        heard += 1;
      });
      sender.send();
      assert.equal(receiver.wait(), 2n);
      await new Promise<void>((resolve) => {
        called = resolve;
        sender.send();
      });
      await turn();
      assert.deepEqual(warnings, ['UINTR_SIGNAL_TAKEN']);
      assert.equal(heard, 0, 'the program got a signal that it did not send');
      receiver.close();
    },
  );

  processTest('17. UINTR_SIGNAL is the default', { ranks: 1, env: { UINTR_SIGNAL: 'SIGIO' } }, () => {
    process.on('SIGIO', ignore);
    assert.throws(() => registerHandler(ignore, { driver: 'signal' }), coded('ERR_UINTR_UNSUPPORTED'));
  });
});

describe('without user interrupts', () => {
  processTest("18. driver 'uintr' says why not, and 'auto' is by signal", 1, () => {
    const { ok, reason } = support().drivers.uintr;
    if (ok) return registerHandler(ignore, { driver: 'auto' }).close();
    assert.throws(() => registerHandler(ignore, { driver: 'uintr' }), coded('ERR_UINTR_UNSUPPORTED', reason!));
    const receiver = registerHandler(ignore);
    assert.equal(receiver.driver, 'signal');
    return receiver.close();
  });
});

async function runsWell(program: string, driver: DoorbellDriver, ...args: string[]): Promise<void> {
  const env = cleanEnvironment(environmentOf(driver));
  const child = spawn(process.execPath, [program, driver, ...args], { env });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
  const [code, signal] = await once(child, 'close');
  assert.deepEqual({ code, signal, output }, { code: 0, signal: null, output: [] });
}
