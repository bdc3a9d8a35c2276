// uintr/doorbell: ringing, and what the receiver counts meanwhile.
import { strict as assert } from 'node:assert';
import { closeSync } from 'node:fs';
import { registerHandler, registerSender } from '../../lib/doorbell.js';
import { computeUntil, eachDoorbell, ended, RingerThread, ringerProcess } from '../helpers/doorbells.js';
import { processTest } from '../helpers/rank-test.js';

const noCall = (): void => {};

eachDoorbell((driver) => {
  processTest('1. another process rings one that is stuck in JavaScript, where the count moves', 1, async () => {
    const receiver = registerHandler(noCall, { driver });
    assert.equal(receiver.driver, driver);
    const fd = receiver.createFd(7);
    assert.equal(receiver.count(7), 0n);
    const child = ringerProcess([fd], '0 1\n');
    computeUntil(receiver, 7, 1n);
    assert.equal(receiver.count(7), 1n);
    await ended(child);
    receiver.close();
  });

  processTest('2. a descriptor works wherever it was inherited to', 1, async () => {
    const receiver = registerHandler(noCall, { driver });
    const fds = [receiver.createFd(1), receiver.createFd(2)];
    const child = ringerProcess(fds, '1 1\n0 1\n', 3);
    for (const fd of fds) closeSync(fd);
    computeUntil(receiver, 1, 1n);
    assert.deepEqual([receiver.count(0), receiver.count(1), receiver.count(2)], [0n, 1n, 1n]);
    await ended(child);
    receiver.close();
  });

  processTest('3. in lock step each ring is counted, once', 1, async () => {
    const receiver = registerHandler(noCall, { driver });
    const ringer = new RingerThread(receiver.createFd(0));
    for (let i = 1; i <= 2_000; i += 1) {
      ringer.ring();
      computeUntil(receiver, 0, BigInt(i));
    }
    assert.equal(receiver.count(0), 2_000n);
    await ringer.end();
    receiver.close();
  });

  processTest('4. in free run at most each ring is counted, and no vector is lost', 1, async () => {
    const BURST = 50;
    const receiver = registerHandler(noCall, { driver });
    const vectors = Array.from({ length: 30 }, (_, i) => i);
    const fds = vectors.map((vector) => receiver.createFd(vector));
    const order = [...vectors, ...vectors.toReversed(), ...vectors];
    const child = ringerProcess(fds, order.map((index) => `${index} ${BURST}\n`).join(''));
    const rings = BigInt(3 * BURST);
    // The last ring of all is the last vector's, and comes after all others.
    for (const vector of vectors) computeUntil(receiver, vector, 1n);
    await ended(child);
    for (const vector of vectors) {
      const count = receiver.count(vector);
      assert.ok(count >= 1n && count <= rings, `vector ${vector}: ${count} of ${rings}`);
    }
    receiver.close();
  });

  processTest('5. several receivers of a thread have vectors of their own', 1, async () => {
    const receivers = [1, 2, 3].map(() => registerHandler(noCall, { driver }));
    const senders = receivers.map((receiver, i) => registerSender(receiver.createFd(i)));
    senders[1]!.send();
    computeUntil(receivers[1]!, 1, 1n);
    assert.deepEqual(
      receivers.map((receiver, i) => receiver.count(i)),
      [0n, 1n, 0n],
    );
    receivers[0]!.close();
    senders[2]!.send();
    computeUntil(receivers[2]!, 2, 1n);
    for (const receiver of receivers) receiver.close();
  });

  processTest('6. a closed vector can be used again, and counts from 0', 1, async () => {
    for (let i = 0; i < 3; i += 1) {
      const receiver = registerHandler(noCall, { driver });
      const fd = receiver.createFd(12);
      const sender = registerSender(fd);
      closeSync(fd);
      assert.equal(receiver.count(12), 0n);
      sender.send();
      computeUntil(receiver, 12, 1n);
      sender.close();
      receiver.close();
    }
  });

  processTest('7. many senders may be made of one descriptor', 1, async () => {
    const receiver = registerHandler(noCall, { driver });
    const fd = receiver.createFd(4);
    const senders = Array.from({ length: 20 }, () => registerSender(fd));
    closeSync(fd);
    for (const [i, sender] of senders.entries()) {
      sender.send();
      computeUntil(receiver, 4, BigInt(i + 1));
    }
    receiver.close();
  });
});
