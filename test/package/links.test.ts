// What the documents refer to exists: links between them, headings that links name, images, and files of this repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { root } from './places.js';

const FOLDERS = ['bench', 'docs', 'examples', 'lib', 'src-native', 'test'];

function documents(): string[] {
  const top = readdirSync(root);
  const below = FOLDERS.filter((folder) => top.includes(folder)).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...top, ...below].filter((name) => name.endsWith('.md')).sort();
}

/** Without what only looks like links and headings. */
const withoutCode = (text: string): string => text.replace(/^```.*?^```$/gms, '');

/** As GitHub makes them. */
function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(path: string, text: string): string[] {
  const plain = withoutCode(text);
  const targets = [...plain.matchAll(/\]\(([^)\s]+)\)/g), ...plain.matchAll(/ (?:src|srcset)="([^"]+)"/g)].map(
    ([, target]) => target!,
  );
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file, anchor] = target.split('#');
    const found = file === '' ? path : resolve(dirname(path), file!);
    if (!existsSync(found)) return true;
    return anchor !== undefined && !anchors(file === '' ? text : readFileSync(found, 'utf8')).includes(anchor);
  });
}

/** Paths from the root, as `test/model`; one with more than names in it is a pattern, and not looked for. */
function missingFiles(text: string): string[] {
  const named = [...text.matchAll(/`((?:bench|docs|examples|lib|src-native|test)\/[^`\s]+)`/g)].map(
    ([, name]) => name!,
  );
  return named.filter((name) => /^[\w./-]+$/.test(name) && !existsSync(join(root, name)));
}

test('there are documents, and links among them', () => {
  expect(documents()).toEqual(expect.arrayContaining(['README.md', join('docs', 'protocol.md')]));
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toMatch(/\]\(docs\//);
});

test('a broken link, heading or file is found', () => {
  const text = [
    '# One `x`, two',
    '[a](no-such.md)',
    '[b](#one-x-two)',
    '[c](#three)',
    '<img alt="" src="no-such.svg">',
    '`lib/no-such.ts`',
  ].join('\n');
  expect(brokenLinks(join(root, 'README.md'), text)).toEqual(['no-such.md', '#three', 'no-such.svg']);
  expect(missingFiles(text)).toEqual(['lib/no-such.ts']);
});

test.each(documents())('%s refers to nothing that is not there', (name) => {
  const path = join(root, name);
  const text = readFileSync(path, 'utf8');
  expect({ links: brokenLinks(path, text), files: missingFiles(text) }).toEqual({ links: [], files: [] });
});
