// uintr/doorbell: the user-interrupt calls themselves, for programs that want no messages.
export { type HandlerOptions, Receiver, registerHandler } from './receiver.js';
export { registerSender, Sender } from './sender.js';
