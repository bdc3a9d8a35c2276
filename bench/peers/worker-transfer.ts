// Peer: worker_threads and postMessage with a transfer list, which hands a buffer over and copies nothing. Who has sent a
// buffer has it no more, so what is sent is the one that came last, where that is as long, and else a new one, which
// nobody fills: it is the handing over that is measured, not the making of a message.
import { MessagePort } from './port.js';
import { type Inbox, type Post, talkBetweenThreads } from './workers.js';

/** Up to this length the content matters: it may be an order. */
const wordBytes = 8;

function transferPort(post: Post): Inbox {
  let came = new Uint8Array(0);
  const port = new MessagePort((data) => {
    const given =
      data.length <= wordBytes ? data.slice() : came.length === data.length ? came : new Uint8Array(data.length);
    post(given, [given.buffer as ArrayBuffer]);
  });
  return {
    send: port.send,
    receive: (...what) => port.receive(...what),
    arrived: (data) => {
      came = data as Uint8Array<ArrayBuffer>;
      port.arrived(data);
    },
  };
}

void talkBetweenThreads(__filename, transferPort);
