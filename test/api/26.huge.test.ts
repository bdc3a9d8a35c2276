// A message of more than 2 GiB: lengths and offsets are not 32-bit numbers anywhere.
import { strict as assert } from 'node:assert';
import { bytesOf } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';

const SIZE = 2 ** 31 + 12_345;
/** Where the bytes are looked at: around each end, and where a 31-bit offset ends. */
const PLACES = [0, 1, 2 ** 30, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, SIZE - 1];

// The sender's pages are one page of zeros but for these, so it takes as much memory as the receiver's buffer.
rankTest('1. a message of more than 2 GiB arrives whole', { ranks: 2, timeoutMs: 120_000 }, async (world) => {
  const data = new Uint8Array(SIZE);
  if (world.rank === 0) {
    for (const [i, place] of PLACES.entries()) data[place] = i + 1;
    assert.equal((await world.send(data, { dest: 1 })).byteLength, SIZE);
  } else {
    assert.equal((await world.recv(data, { source: 0 })).byteLength, SIZE);
    for (const [i, place] of PLACES.entries()) assert.equal(bytesOf(data)[place], i + 1, `byte ${place}`);
    for (let at = 4_096; at < SIZE; at += 99_991) if (!PLACES.includes(at)) assert.equal(data[at], 0, `byte ${at}`);
  }
});
