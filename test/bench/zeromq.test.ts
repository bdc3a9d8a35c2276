import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of, run, tiny } from './run.js';

/** Stands in for the package: the same calls, over a socket of Node's, with its rule of one send at a time. */
const standIn = `
const net = require('node:net');
class Pair {
  constructor() { this.here = new Promise((resolve) => { this.got = resolve; }); }
  bind(address) {
    this.server = net.createServer((socket) => { this.server.close(); this.got(socket); });
    return new Promise((resolve) => this.server.listen(address.slice('ipc://'.length), resolve));
  }
  connect(address) { const socket = net.connect(address.slice('ipc://'.length), () => this.got(socket)); }
  async send(data) {
    if (this.busy) throw new Error('Socket is busy writing');
    this.busy = true;
    const socket = await this.here;
    const head = Buffer.alloc(4);
    head.writeUInt32LE(data.length);
    await new Promise((resolve) => socket.write(Buffer.concat([head, data]), resolve));
    this.busy = false;
  }
  async *[Symbol.asyncIterator]() {
    let rest = Buffer.alloc(0);
    for await (const piece of await this.here) {
      rest = Buffer.concat([rest, piece]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
        const end = 4 + rest.readUInt32LE();
        yield [rest.subarray(4, end)];
        rest = rest.subarray(end);
      }
    }
  }
  close() { void this.here.then((socket) => socket.end()); }
}
module.exports = { Pair };
`;

describe('zeromq as a peer', () => {
  let modules: string;
  beforeEach(() => {
    modules = mkdtempSync(join(tmpdir(), 'uintr-test-'));
  });
  afterEach(() => rmSync(modules, { recursive: true, force: true }));

  function install(version: string): void {
    const folder = join(modules, 'zeromq');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'zeromq', version, main: 'index.js' }));
    writeFileSync(join(folder, 'index.js'), standIn);
  }

  test.each(['latency', 'bandwidth'])('takes part in %s where it is installed', (measure) => {
    install('6.1.2');
    const ran = run(measure, [...tiny, '--peers', 'zeromq'], { NODE_PATH: modules });
    expect(ran.status).toBe(0);
    expect(of(ran, 'skipped')).toEqual([]);
    expect(of(ran, 'machine')).toMatchObject([{ zeromq: '6.1.2' }]);
    const results = of(ran, 'result').filter(({ contestant }) => contestant === 'zeromq');
    expect(results.map(({ bytes }) => bytes)).toEqual([8, 70000]);
  });

  test('another version, with other calls, does not', () => {
    install('5.3.1');
    const ran = run('latency', [...tiny, '--peers', 'zeromq'], { NODE_PATH: modules });
    expect(of(ran, 'skipped')).toMatchObject([
      { contestant: 'zeromq', reason: 'zeromq: 5.3.1 is installed (npm install zeromq@6)' },
    ]);
  });
});
