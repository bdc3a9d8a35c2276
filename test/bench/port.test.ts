import { MessagePort, type Port, StreamPort } from '../../bench/peers/port.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Receives and says whether, and what, has come. */
function receive(port: Port, length: number, count = 1) {
  const into = new Uint8Array(length * count);
  const state = { done: false, into };
  port.receive(
    length,
    count,
    () => {
      state.done = true;
    },
    into,
  );
  return state;
}

describe("Node's channels as ports", () => {
  test('a message that came before it was asked for is kept', () => {
    const port = new MessagePort(() => {});
    port.arrived(bytes(1, 2));
    const received = receive(port, 2);
    expect(received.done).toBe(true);
    expect(received.into).toEqual(bytes(1, 2));
  });

  test('a window of messages is done with the last of them', () => {
    const port = new MessagePort(() => {});
    port.arrived(bytes(1));
    const received = receive(port, 1, 3);
    port.arrived(bytes(2));
    expect(received.done).toBe(false);
    port.arrived(bytes(3));
    expect(received.done).toBe(true);
  });

  test('a stream is cut where the receives end, wherever its pieces do', () => {
    const port = new StreamPort(() => {});
    port.arrived(bytes(1, 2, 3));
    const first = receive(port, 2);
    const second = receive(port, 4);
    expect([first.done, second.done]).toEqual([true, false]);
    port.arrived(bytes(4, 5, 6, 7));
    expect(second.done).toBe(true);
    const third = receive(port, 1);
    expect([first, second, third].map(({ into }) => [...into])).toEqual([[1, 2], [3, 4, 5, 6], [7]]);
  });

  test('a callback may ask for the next message, and for all that came already', () => {
    for (const port of [new MessagePort(() => {}), new StreamPort(() => {})]) {
      let seen = 0;
      const next = () => {
        seen++;
        if (seen < 4) port.receive(2, 1, next);
      };
      for (let i = 0; i < 3; i++) port.arrived(bytes(i, i));
      port.receive(2, 1, next);
      expect(seen).toBe(3);
      port.arrived(bytes(3, 3));
      expect(seen).toBe(4);
    }
  });
});
