// Plans of collective operations that are kept for the next time.
import * as moving from '../../lib/collectives/moving.js';
import { forgetPlans, Plans } from '../../lib/collectives/plans.js';
import * as reducing from '../../lib/collectives/reducing.js';
import { IN_PLACE } from '../../lib/index.js';

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const floats = (length: number): Float64Array => new Float64Array(length);
const newRanks = () => ({ rank: 1, size: 3, plans: new Plans() });

describe('plans', () => {
  it('1. are made once for the same call, whatever its buffers', () => {
    const ranks = newRanks();
    const first = moving.callBcast(ranks, bytes(10), 0);
    const second = moving.callBcast(ranks, bytes(10), 0);
    expect(second.schedule).toBe(first.schedule);
    expect(second.buffers).not.toBe(first.buffers);
  });

  it('2. are of their own for each length, root, operation, type, op, and with IN_PLACE', () => {
    const ranks = newRanks();
    const [own, into] = [floats(4), floats(4)];
    const schedules = [
      moving.callBcast(ranks, bytes(24), 0),
      moving.callBcast(ranks, bytes(48), 0),
      moving.callBcast(ranks, bytes(24), 2),
      moving.callAllgather(ranks, bytes(24), bytes(72)),
      moving.callAllgather(ranks, IN_PLACE, bytes(72)),
      moving.callAlltoall(ranks, bytes(72), bytes(72)),
      moving.callAlltoall(ranks, IN_PLACE, bytes(72)),
    ].map(({ schedule }) => schedule);
    expect(new Set(schedules).size).toBe(schedules.length);
    const reductions = [
      reducing.callAllreduce(ranks, own, into, 'sum'),
      reducing.callAllreduce(ranks, own, into, 'max'),
      reducing.callAllreduce(ranks, own, into, (a: number) => a),
      reducing.callAllreduce(ranks, IN_PLACE, into, 'sum'),
      reducing.callAllreduce(ranks, new BigInt64Array(4), new BigInt64Array(4), 'sum'),
      reducing.callReduce(ranks, own, into, 'sum', 1),
      reducing.callReduce(ranks, own, null, 'sum', 0),
      reducing.callScan(ranks, own, into, 'sum'),
    ];
    expect(new Set(reductions.map(({ schedule }) => schedule)).size).toBe(reductions.length);
    expect(new Set(reductions.map(({ called }) => called)).size).toBe(reductions.length - 1);
  });

  it('3. are forgotten, the oldest first, and all of them where thresholds change', () => {
    const ranks = newRanks();
    const of = (length: number) => moving.callBcast(ranks, bytes(length), 0).schedule;
    const [first, last] = [of(1), of(2)];
    for (let length = 3; length < 10; length += 1) of(length);
    expect(of(2)).toBe(last);
    expect(of(1)).not.toBe(first);
    const kept = of(5);
    forgetPlans();
    expect(of(5)).not.toBe(kept);
  });
});
