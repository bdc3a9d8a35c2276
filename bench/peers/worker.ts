// Peer: worker_threads and postMessage, which copies.
import { MessagePort } from './port.js';
import { talkBetweenThreads } from './workers.js';

void talkBetweenThreads(__filename, (post) => new MessagePort((data) => post(data)));
