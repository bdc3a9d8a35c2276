// Whether a rank received what it had to: exactly, or in an order that MPI allows.
import { strict as assert } from 'node:assert';
import type { Message } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { assertPattern } from '../helpers/pattern.js';
import type { Received } from './execute.js';
import { keyOf, type Program, type Receive, type Send, sendsOf } from './program.js';

export class Verdict {
  readonly #program: Program;
  readonly #tagged: boolean;
  /** Messages to this rank that are not accounted for yet, in the order in which they were sent. */
  readonly #incoming: Send[];

  constructor(rank: number, program: Program) {
    this.#program = program;
    this.#tagged = program.modes[rank] === 'tagged';
    this.#incoming = sendsOf(program).filter(({ dest }) => dest === rank);
  }

  /** To be called for the receives in the order in which they were posted. */
  async take(received: Received): Promise<void> {
    const { receive, request } = received;
    const { gets, room } = receive;
    if (gets && room !== undefined && room < gets.size) {
      await assert.rejects(async () => request, coded('ERR_UINTR_TRUNCATED'));
      received.buffer!.check(room);
      return;
    }
    const status = await request;
    const send = gets ?? this.#next(receive, status.source);
    const { source, tag, byteLength } = status;
    assert.deepEqual(
      { source, tag, byteLength },
      { source: send.rank, tag: send.tag, byteLength: send.size },
      `receive ${receive.id} should have got message ${send.id}`,
    );
    const bytes = received.buffer?.bytes ?? (status as Message).data;
    if (!received.buffer) assert.equal(bytes.length, send.size);
    assertPattern(bytes.subarray(0, send.size), keyOf(this.#program, send));
    received.buffer?.check(send.size);
  }

  /** Receives that are alike get the messages of one sender in their order: this is the next one. */
  #next(receive: Receive, source: number): Send {
    const at = this.#incoming.findIndex((send) => send.rank === source && (!this.#tagged || send.tag === receive.tag));
    assert.ok(at >= 0, `receive ${receive.id} got a message from rank ${source}, which had sent no more`);
    return this.#incoming.splice(at, 1)[0]!;
  }
}
