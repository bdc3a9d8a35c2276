// The kinds of locks in one table, and peers of a test of uintr/sync: processes and worker threads that do what they are
// told (helpers/sync-peer.ts).
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type * as api from '../../lib/sync.js';
import { Mutex, type Place, SpinLock } from '../../lib/sync.js';
import type { Answer, Order } from './sync-peer.js';

export type Lock = Mutex | SpinLock;

export interface LockKind {
  kind: string;
  type: 'Mutex' | 'SpinLock';
  make(where: Place, name?: string): Lock;
  open(handle: string): Lock;
}

/** All four. */
export const LOCKS: readonly LockKind[] = [
  { kind: 'Mutex', type: 'Mutex', make: (where, name) => new Mutex(where, named(name)), open: Mutex.open },
  {
    kind: 'Mutex, adaptive',
    type: 'Mutex',
    make: (where, name) => new Mutex(where, { ...named(name), adaptive: true }),
    open: Mutex.open,
  },
  { kind: 'SpinLock', type: 'SpinLock', make: (where, name) => new SpinLock(where, named(name)), open: SpinLock.open },
  {
    kind: 'SpinLock, ticket',
    type: 'SpinLock',
    make: (where, name) => new SpinLock(where, { ...named(name), ticket: true }),
    open: SpinLock.open,
  },
];

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name };
}

/** Calls `declare` inside a describe block for each kind. */
export function eachLock(declare: (kind: LockKind) => void): void {
  for (const one of LOCKS) describe(`(${one.kind})`, () => declare(one));
}

/** Something that a peer has. */
export interface Remote {
  readonly number: number;
  /** Of a guard. */
  readonly ownerDied?: boolean;
}

const PROGRAM = join(__dirname, 'sync-peer.js');

/** A thread or process that does what it is told, one order after another. */
export class Peer {
  readonly #send: (order: Order) => void;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #orders = 0;
  /** Resolves when it is over, with the exit code or signal. */
  readonly over: Promise<number | string>;
  readonly child?: ChildProcess;
  readonly worker?: Worker;

  private constructor(started: ChildProcess | Worker) {
    if (started instanceof Worker) {
      this.worker = started;
      this.#send = (order) => started.postMessage(order);
    } else {
      this.child = started;
      this.#send = (order) => started.send(order);
    }
    started.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(value);
      else waiting.reject(Object.assign(new Error(error.message), { code: error.code }));
    });
    started.on('error', () => {});
    this.over = new Promise((resolve) => {
      started.once('exit', (code: number | null, signal?: string) => {
        for (const { reject } of this.#waiting.values()) reject(new Error('it has ended'));
        resolve(code ?? signal!);
      });
    });
  }

  static process(options: ForkOptions = {}): Peer {
    return new Peer(fork(PROGRAM, { serialization: 'advanced', ...options }));
  }

  static thread(): Peer {
    return new Peer(new Worker(PROGRAM, { stderr: true }));
  }

  order(on: Order['on'], method: string, args?: unknown[]): Promise<unknown> {
    const id = this.#orders;
    this.#orders += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, on, method, ...(args && { args }) });
    });
  }

  /** A static method of a class, or with 'new' its constructor, where a number means something that the peer has. */
  async make(on: keyof typeof api, method: string, ...args: unknown[]): Promise<Remote> {
    return (await this.order(on, method, args)) as Remote;
  }

  /** What has this handle. */
  open(on: keyof typeof api, { handle }: { handle: string }): Promise<Remote> {
    return this.make(on, 'open', handle);
  }

  call<T = unknown>(on: Remote, method: string, ...args: unknown[]): Promise<T> {
    return this.order(on.number, method, args) as Promise<T>;
  }

  get<T = unknown>(on: Remote, property: string): Promise<T> {
    return this.order(on.number, property) as Promise<T>;
  }

  /** What is in `peer` of sync-peer.ts. */
  do<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    return this.order('peer', method, args) as Promise<T>;
  }

  /** Ends it as it ends by itself, or so. */
  async end(how: 'end' | 'exit' | 'throw' | 'kill' = 'end'): Promise<number | string> {
    if (how !== 'kill') this.do(how).catch(() => {});
    else if (this.worker) await this.worker.terminate();
    else this.child!.kill('SIGKILL');
    return this.over;
  }
}

/** Calls `declare` for a peer that is a process, and for one that is a thread. */
export function eachPeer(declare: (start: () => Peer, what: string) => void): void {
  declare(() => Peer.process(), 'a process');
  declare(() => Peer.thread(), 'a worker');
}
