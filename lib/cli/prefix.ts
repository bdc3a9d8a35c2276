// Puts a prefix before each line, so that the output of several ranks can be told apart.
import { Transform, type TransformCallback } from 'node:stream';

const NEWLINE = 0x0a;
/** A line this long is passed on in parts. */
const MOST_HELD = 16 * 1024 * 1024;

/** Works on bytes, as a chunk may end within a character, and hands on whole lines, as others write to the same place. */
export class LinePrefix extends Transform {
  readonly #prefix: Buffer;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #inLine = false;

  constructor(prefix: string) {
    super();
    this.#prefix = Buffer.from(prefix);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const out: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(out, chunk.subarray(start, end + 1));
      start = end + 1;
      this.#inLine = false;
    }
    const rest = chunk.subarray(start);
    if (rest.length > 0) {
      this.#held.push(rest);
      this.#heldBytes += rest.length;
      if (this.#heldBytes > MOST_HELD) {
        this.#take(out, Buffer.alloc(0));
        this.#inLine = true;
      }
    }
    done(null, out.length > 0 ? Buffer.concat(out) : undefined);
  }

  /** A last line without a newline gets one, or the next rank's line would follow it on the same line. */
  override _flush(done: TransformCallback): void {
    const out: Buffer[] = [];
    if (this.#heldBytes > 0 || this.#inLine) this.#take(out, Buffer.from('\n'));
    done(null, Buffer.concat(out));
  }

  #take(out: Buffer[], end: Buffer): void {
    if (!this.#inLine) out.push(this.#prefix);
    out.push(...this.#held, end);
    this.#held = [];
    this.#heldBytes = 0;
  }
}
