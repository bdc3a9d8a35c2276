// The steps at which a test has ranks end (src-native/engine/failpoint.h) are in that test's build alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineArchive, root, shippedBinary } from './places.js';

function failpoints(): string[] {
  const files = readdirSync(join(root, 'src-native'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /\.(?:cc|h)$/.test(file)).map((file) => join(root, 'src-native', file));
  const used = sources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bUINTR_FAILPOINT\("(.*)"\);/g)]);
  return used.map(([, name]) => name);
}

test('there are some, each with a name of its own', () => {
  const names = failpoints();
  expect(names.length).toBeGreaterThan(100);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/);
});

test.each([
  ['the archive that handlers run', () => engineArchive],
  ['the addon', shippedBinary],
])('%s has none of them', (_, path) => {
  const binary = readFileSync(path());
  for (const text of [...failpoints(), 'uintr_failpoints', 'reach_failpoint']) {
    expect([text, binary.includes(text)]).toEqual([text, false]);
  }
});
