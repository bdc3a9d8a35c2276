// What a Node process does while user interrupts hit its JavaScript threads without pause: `node under-fire.js NAME…`.
// FIRE names the addon. Ends with code 0 and the number of interrupts, if everything was right.
const assert = require('node:assert');
const { createHash } = require('node:crypto');
const fire = require(process.env.FIRE);

function numbers() {
  let a = 1;
  let b = 0.5;
  for (let i = 0; i < 2e6; i++) {
    a = (Math.imul(a, 1103515245) + 12345) | 0;
    b = (b * 1.0000001 + (a & 255)) % 1e9;
  }
  return `${a} ${b}`;
}

// add(i32, i32), and a read out of bounds, which V8 catches as SIGSEGV.
const wasm = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 12, 2, 96, 2, 127, 127, 1, 127, 96, 1, 127, 1, 127, 3, 3, 2, 0, 1, 5, 3, 1, 0, 1, 7,
  14, 2, 3, 97, 100, 100, 0, 0, 4, 108, 111, 97, 100, 0, 1, 10, 17, 2, 7, 0, 32, 0, 32, 1, 106, 11, 7, 0, 32, 0, 40, 2,
  0, 11,
]);

const programs = {
  compute() {
    const is = numbers();
    for (let i = 0; i < 10; i++) assert.strictEqual(numbers(), is);
  },
  strings() {
    const text = 'interrupt'.repeat(10000);
    const is = createHash('sha256').update(text).digest('hex');
    for (let i = 0; i < 100; i++) {
      assert.strictEqual(
        createHash('sha256')
          .update(JSON.parse(JSON.stringify({ text })).text)
          .digest('hex'),
        is,
      );
      assert.strictEqual(/(r+u)pt$/.exec(text)[1], 'rru');
    }
  },
  garbage() {
    let kept = [];
    for (let i = 0; i < 300_000; i++) {
      kept.push({ i, text: `${i}`, more: new Array(10).fill(i) });
      if (kept.length === 50_000) kept = kept.filter((k) => k.i % 3 === 0);
    }
    for (const k of kept) assert.ok(k.text === `${k.i}` && k.more[9] === k.i);
  },
  wasm() {
    const { add, load } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports;
    for (let i = 0; i < 300; i++) {
      assert.strictEqual(add(i, 1), i + 1);
      assert.throws(() => load(1 << 20), WebAssembly.RuntimeError);
    }
  },
  async files() {
    const fs = require('node:fs/promises');
    for (let i = 0; i < 50; i++) assert.ok((await fs.readFile(__filename, 'utf8')).includes('assert'));
  },
  async timers() {
    for (let i = 0; i < 20; i++) await new Promise((done) => setTimeout(done, 2));
  },
  async exec() {
    const { execFileSync, execFile } = require('node:child_process');
    assert.strictEqual(`${execFileSync('/bin/echo', ['sync'])}`, 'sync\n');
    for (let i = 0; i < 5; i++) {
      const out = await new Promise((done, failed) =>
        execFile('/bin/sh', ['-c', 'cat; echo $$'], (error, text) => (error ? failed(error) : done(text))).stdin.end(
          'in ',
        ),
      );
      assert.match(out, /^in \d+\n$/);
    }
  },
  async fork() {
    const { fork } = require('node:child_process');
    const code = await new Promise((done) => fork(__filename, ['compute']).on('exit', done));
    assert.strictEqual(code, 0);
  },
  async workers() {
    const { Worker } = require('node:worker_threads');
    const one = () =>
      new Promise((done, failed) => new Worker(__filename, { argv: ['compute'] }).on('exit', done).on('error', failed));
    assert.deepStrictEqual(await Promise.all([one(), one()]), [0, 0]);
  },
  async terminate() {
    const { Worker } = require('node:worker_threads');
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(__filename, { argv: ['endless'] });
      await new Promise((done) => worker.once('message', done));
      await worker.terminate();
    }
  },
  endless() {
    require('node:worker_threads').parentPort.postMessage('running');
    for (;;) numbers();
  },
  async signals() {
    let seen = 0;
    process.on('SIGUSR2', () => seen++);
    for (let i = 1; i <= 20; i++) {
      process.kill(process.pid, 'SIGUSR2');
      while (seen < i) await new Promise(setImmediate);
    }
    process.removeAllListeners('SIGUSR2');
  },
};

(async () => {
  fire.start();
  for (const name of process.argv.slice(2)) await programs[name]();
  const runs = fire.stop();
  assert.ok(runs > 0);
  console.log(runs);
})();
