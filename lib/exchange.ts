// Where things lie in the memory that the addon and JavaScript both read and write (src-native/addon/exchange.h), in
// 32-bit words.

/** Arguments of postSend, postRecv, probe, improbe, imrecv, unreachable and postSchedule. */
export const PEER = 0;
export const TAG = 1;
export const CONTEXT = 2;
export const FLAGS = 3;
/** How many requests want the process to stay alive. */
export const WANTED = 4;
/** 1 while the addon keeps the event loop alive. */
export const REFERENCED = 5;
/** Requests in flight. */
export const ACTIVE = 6;
/** 1 if a receive waited for memory throughout the last waitSlice. */
export const STALLED = 7;
/** 1 when something has come that a waiting probe may look for. */
export const SIGHTED = 8;
/** How often this thread was asked by a signal what it waits for. */
export const ASKED = 9;

/** What a post or a probe answered at once: a record. */
export const IMMEDIATE = 16;
/** Records of what drain, progress and waitSlice found. */
export const RECORD_WORDS = 10;
export const BATCH = IMMEDIATE + RECORD_WORDS;
export const BATCH_RECORDS = 64;

/** Within a record. The slot is the lower 20 bits of the handle; a handle of all ones means news. */
export const R_HANDLE = 0;
export const R_HANDLE_HIGH = 1;
export const R_ERROR = 2;
export const R_CAUSE = 3;
export const R_SOURCE = 4;
export const R_TAG = 5;
export const R_LENGTH = 6;
export const R_HEAP = 8;
export const SLOT_MASK = 0xfffff;

export const FLAG_SYNCHRONOUS = 1;
export const FLAG_ALLOCATE = 2;
export const FLAG_LEND = 4;
/** Of a receive: its message can wait until the program comes here by itself. */
export const FLAG_PATIENT = 8;

/** In the upper word of R_HEAP: the message is lent. */
export const LENT = 0x40000000;

/** PostResult */
export const POST_DONE = -1;
export const POST_FAILED = -2;
export const POST_CLOSED = -3;
export const POST_NOT_BYTES = -4;
export const POST_NOTHING = -5;
export const POST_BAD_SCHEDULE = -6;
export const POST_NOT_OWN = -7;

/** News */
export const NEWS_PEER_GONE = 0;
export const NEWS_RETURNING = 2;

/** kAnySource and kAnyTag, as a signed word. */
export const ANY = -2;

/** A 64-bit number; exact up to 2^53. */
export function read64(words: Int32Array, at: number): number {
  const low = words[at]!;
  const high = words[at + 1]!;
  return high === 0 && low >= 0 ? low : high * 2 ** 32 + (low >>> 0);
}
