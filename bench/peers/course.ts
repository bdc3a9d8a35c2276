// The measures over a port of Node's, for both its ends.

import { pinSelf } from '../lib/pin.js';
import { type Case, decodePlan, type Plan } from '../lib/plan.js';
import { type Follower, follow, type Leader, lead } from '../lib/turns.js';
import type { Port } from './port.js';

const countBytes = 8;
const reply = new Uint8Array(4);

interface Course {
  leader(port: Port, one: Case): Leader;
  follower(port: Port, one: Case): Follower;
  /** What a sample's time is divided by. */
  perSample(one: Case): number;
}

const latency: Course = {
  perSample: (one) => 2 * one.batch,
  leader(port, one) {
    const data = new Uint8Array(one.bytes);
    const sample = () =>
      new Promise<void>((resolve) => {
        let left = one.batch;
        const back = () => {
          if (--left === 0) resolve();
          else go();
        };
        const go = () => {
          port.receive(one.bytes, 1, back);
          port.send(data);
        };
        go();
      });
    return { tell: teller(port), sample };
  },
  follower(port, one) {
    const data = new Uint8Array(one.bytes);
    const sample = () =>
      new Promise<void>((resolve) => {
        let left = one.batch;
        const there = () => {
          port.send(data);
          if (--left === 0) resolve();
          else port.receive(one.bytes, 1, there);
        };
        port.receive(one.bytes, 1, there);
      });
    return { hear: hearer(port), sample };
  },
};

const bandwidth: Course = {
  perSample: (one) => one.window,
  leader(port, one) {
    const data = new Uint8Array(one.bytes);
    const sample = () =>
      new Promise<void>((resolve) => {
        port.receive(reply.length, 1, resolve);
        for (let i = 0; i < one.window; i++) port.send(data);
      });
    return { tell: teller(port), sample };
  },
  follower(port, one) {
    const sample = () =>
      new Promise<void>((resolve) => {
        port.receive(one.bytes, one.window, () => {
          port.send(reply);
          resolve();
        });
      });
    return { hear: hearer(port), sample };
  },
};

/** Both ends do the same; what is sent is on its way once it is queued, as a short message of MPI's is. */
function exchange(port: Port, one: Case) {
  const data = new Uint8Array(one.bytes);
  return () =>
    new Promise<void>((resolve) => {
      port.receive(one.bytes, one.window, resolve);
      for (let i = 0; i < one.window; i++) port.send(data);
    });
}

const bibandwidth: Course = {
  perSample: (one) => one.window,
  leader: (port, one) => ({ tell: teller(port), sample: exchange(port, one) }),
  follower: (port, one) => ({ hear: hearer(port), sample: exchange(port, one) }),
};

const courses: Record<string, Course> = { latency, bandwidth, bibandwidth };

function teller(port: Port): Leader['tell'] {
  return (count) => port.send(new Uint8Array(Float64Array.of(count).buffer));
}

function hearer(port: Port): Follower['hear'] {
  const count = new Float64Array(1);
  return () =>
    new Promise((resolve) => port.receive(countBytes, 1, () => resolve(count[0]), new Uint8Array(count.buffer)));
}

/** Takes part in what the command line says: `<measure> <plan>`. */
export async function takePart(end: 0 | 1, port: Port): Promise<void> {
  const { course, plan } = orders();
  if (end === 0) await lead(plan, (one) => course.leader(port, one), course.perSample);
  else await follow(plan, (one) => course.follower(port, one));
}

/** To be called before the channel is made, so that its threads and buffers start where they stay. */
export function pinEnd(end: 0 | 1, what?: 'process' | 'thread'): void {
  pinSelf(orders().plan.cpus?.[end], what);
}

function orders(): { course: Course; plan: Plan } {
  const [measure, plan] = process.argv.slice(2);
  const course = courses[measure];
  if (course === undefined) throw new Error(`${measure}: not a measure of Node's channels`);
  return { course, plan: decodePlan(plan) };
}
