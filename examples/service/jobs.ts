// Whatever a client can ask for.
import { addUp, type Order, type Totals } from './batch.js';
import { type Filtered, filter, type Image } from './image.js';

export type Job = Image | Order[];
export type AnswerTo<J extends Job> = J extends Image ? Filtered : Totals;

/** What a worker does. */
export function work(job: Job): Filtered | Totals {
  return Array.isArray(job) ? addUp(job) : filter(job);
}

/** The buffers of a job or an answer, which can be transferred. */
export function buffersOf(value: Job | Filtered | Totals): ArrayBuffer[] {
  return 'pixels' in value ? [value.pixels.buffer as ArrayBuffer] : [];
}
