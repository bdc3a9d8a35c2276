// Requests that listen to an AbortSignal. However many do, the signal has one listener: more than ten look like a leak to
// Node, and removing one of many takes it a search.

interface Listening {
  requests: Set<() => void>;
  listener: () => void;
}

const signals = new WeakMap<AbortSignal, Listening>();

/** Calls `withdraw` when the signal is aborted, until `stopListening`. */
export function listen(signal: AbortSignal, withdraw: () => void): void {
  let listening = signals.get(signal);
  if (listening === undefined) {
    const requests = new Set<() => void>();
    // Each takes itself out as it is withdrawn.
    const listener = (): void => {
      for (const one of [...requests]) one();
    };
    listening = { requests, listener };
    signals.set(signal, listening);
    signal.addEventListener('abort', listener);
  }
  listening.requests.add(withdraw);
}

export function stopListening(signal: AbortSignal, withdraw: () => void): void {
  const listening = signals.get(signal);
  if (listening === undefined) return;
  listening.requests.delete(withdraw);
  if (listening.requests.size > 0) return;
  signals.delete(signal);
  signal.removeEventListener('abort', listening.listener);
}
