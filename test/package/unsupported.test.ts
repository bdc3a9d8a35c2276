// Design, section 5, invariant 8: other platforms can import the package, and support() says why it does not work there.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './places.js';

describe('on another platform', () => {
  let folder: string;
  let preload: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'uintr-unsupported-'));
    preload = join(folder, 'other-platform.cjs');
    writeFileSync(
      preload,
      `Object.defineProperty(process, 'platform', { value: 'darwin' });
       Object.defineProperty(process, 'arch', { value: 'arm64' });`,
    );
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function evaluate(program: string, ...flags: string[]): string {
    return execFileSync(process.execPath, ['--require', preload, ...flags, '--eval', program], { encoding: 'utf8' });
  }

  const commonJs = JSON.stringify(join(root, 'dist', 'lib', 'index.js'));
  const esm = JSON.stringify(pathToFileURL(join(root, 'dist', 'lib', 'index.mjs')).href);

  test('require() works, and support() names the platform', () => {
    const support = evaluate(`console.log(JSON.stringify(require(${commonJs}).support()))`);
    expect(support).toMatch(/darwin/);
    expect(support).toMatch(/arm64/);
  });

  test('import works, and support() names the platform', () => {
    const support = evaluate(
      `import { support } from ${esm}; console.log(JSON.stringify(support()))`,
      '--input-type=module',
    );
    expect(support).toMatch(/darwin/);
  });

  test('importing prints nothing and exits with 0', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', preload, '--eval', `require(${commonJs})`],
      { encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('uintr/doorbell can be imported, and both its calls fail with ERR_UINTR_UNSUPPORTED', () => {
    const doorbell = JSON.stringify(pathToFileURL(join(root, 'dist', 'lib', 'doorbell.mjs')).href);
    const codes = evaluate(
      `import { registerHandler, registerSender } from ${doorbell};
       for (const call of [() => registerHandler(() => {}), () => registerSender(0)]) {
         try { call(); } catch (error) { console.log(error.code); }
       }`,
      '--input-type=module',
    );
    expect(codes).toBe('ERR_UINTR_UNSUPPORTED\n'.repeat(2));
  });

  test('uintr/sync can be imported, and no region is to be had', () => {
    const sync = JSON.stringify(pathToFileURL(join(root, 'dist', 'lib', 'sync.mjs')).href);
    const codes = evaluate(
      `import { SharedRegion } from ${sync};
       for (const call of [
         () => SharedRegion.create(),
         () => SharedRegion.named('x'),
         () => SharedRegion.open('x'),
         () => SharedRegion.fromFd(0),
       ]) {
         try { call(); } catch (error) { console.log(error.code); }
       }`,
      '--input-type=module',
    );
    expect(codes).toBe('ERR_UINTR_UNSUPPORTED\n'.repeat(4));
  });

  test('entering a world fails with ERR_UINTR_UNSUPPORTED', () => {
    const code = evaluate(
      `require(${commonJs}).World.join().then(() => console.log('joined'), (e) => console.log(e.code))`,
    );
    expect(code.trim()).toBe('ERR_UINTR_UNSUPPORTED');
  });
});
