// Notification by the doorbells of this package alone: a ring to a thread that computes in JavaScript, which sees its
// count move, and to one that sleeps in its event loop, which is called back. The same course as ranks/notify.ts. The
// ends are two threads, because a descriptor passes only from a process to those that it starts.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Receiver, registerHandler, registerSender, type Sender } from '../../lib/doorbell.js';
import type { NotifyPlan } from '../lib/notify-plan.js';
import { printNotify } from '../lib/peer-lines.js';
import { pinSelf } from '../lib/pin.js';
import { work } from '../lib/work.js';
import { computeFor, emulated, now, Times } from './notify-times.js';

/** Vectors, one for each state. */
const running = 0;
const asleep = 1;

/** When the follower got to know of the ring that it answers, and whether that is the last one. */
interface Shared {
  micros: Float64Array;
  over: Int32Array;
}

interface Orders {
  plan: NotifyPlan;
  fds: number[];
  shared: Shared;
}

/** One end: what rings it, and what it rings. */
class End {
  readonly receiver: Receiver;
  readonly fds: number[];
  readonly #senders: Sender[] = [];
  #seen = 0n;
  #called = false;
  #waiting?: () => void;

  constructor() {
    this.receiver = registerHandler((vectors) => {
      if ((vectors & (1n << BigInt(asleep))) === 0n) return;
      this.#called = true;
      this.#waiting?.();
    });
    this.fds = [running, asleep].map((vector) => this.receiver.createFd(vector));
  }

  meet(fds: number[]): void {
    this.#senders.push(...fds.map(registerSender));
  }

  ring(vector: number): void {
    this.#senders[vector].send();
  }

  /** Computes, and looks now and then whether the handler has counted. */
  arrive(): void {
    while (this.receiver.count(running) === this.#seen) work(8);
    this.#seen += 1n;
  }

  async called(): Promise<void> {
    if (!this.#called) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#called = false;
  }
}

async function lead(plan: NotifyPlan): Promise<void> {
  const shared = { micros: new Float64Array(new SharedArrayBuffer(8)), over: new Int32Array(new SharedArrayBuffer(4)) };
  const end = new End();
  const orders: Orders = { plan, fds: end.fds, shared };
  const worker = new Worker(__filename, { workerData: orders });
  const [fds] = (await once(worker, 'message')) as [number[]];
  end.meet(fds);
  pinSelf(plan.cpus?.[0], 'thread');
  const about = {
    driver: end.receiver.driver,
    ...(emulated(end.receiver.driver) && { emulated: true as const }),
  };

  const course = async (vector: number, arrived: () => void | Promise<void>): Promise<Times> => {
    const times = new Times(plan);
    for (let more = true; more; ) {
      more = times.wantsMore();
      computeFor(plan.settleMicros);
      if (!more) Atomics.store(shared.over, 0, 1);
      const rung = now();
      end.ring(vector);
      const turn = arrived();
      if (turn !== undefined) await turn;
      const answered = now();
      if (more) times.add([shared.micros[0] - rung, answered - rung]);
    }
    return times;
  };
  const computed = await course(running, () => end.arrive());
  printNotify({ state: 'running', how: 'computes in JavaScript, handler', ...computed, ...about });
  const slept = await course(asleep, () => end.called());
  printNotify({ state: 'asleep', how: 'epoll_wait of the event loop, callback', ...slept, ...about });
  end.receiver.close();
}

async function follow({ plan, fds, shared }: Orders): Promise<void> {
  const end = new End();
  end.meet(fds);
  pinSelf(plan.cpus?.[1], 'thread');
  parentPort!.postMessage(end.fds);
  const answer = (vector: number): boolean => {
    shared.micros[0] = now();
    // The leader writes it again in the next state at the earliest, after this answer.
    const over = Atomics.exchange(shared.over, 0, 0) === 1;
    end.ring(vector);
    return over;
  };
  do end.arrive();
  while (!answer(running));
  do await end.called();
  while (!answer(asleep));
  end.receiver.close();
}

if (isMainThread) void lead(JSON.parse(process.argv[2]) as NotifyPlan);
else void follow(workerData as Orders);
