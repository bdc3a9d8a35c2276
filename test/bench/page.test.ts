import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asMarkdown, asText } from '../../bench/lib/parts.js';
import { measures } from '../../bench/main.js';
import { commandOf } from '../../bench/page/command.js';
import { limits } from '../../bench/page/limits.js';
import { recorded } from './recorded.js';
import { run } from './run.js';

describe('pages and plots of a run in a file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'uintr-test-'));
    file = join(folder, 'run.json');
    writeFileSync(file, JSON.stringify(recorded({ has: (id) => id !== 'zeromq' })));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('--page writes all of it, and every picture it shows', () => {
    const into = join(folder, 'page');
    expect(run('main', ['--from', file, '--page', into])).toMatchObject({ status: 0, stderr: '' });
    const page = readFileSync(join(into, 'results.md'), 'utf8');
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([...measures.map(({ name }) => name), 'What did not run']);
    const shown = [...page.matchAll(/(?:src|srcset)="plots\/([^"]+)"/g)].map(([, name]) => name);
    expect(shown.sort()).toEqual(readdirSync(join(into, 'plots')).sort());
    for (const { name } of measures) expect(page).toContain(`\`npx uintr bench ${name} --quick\``);
    expect(page).toContain('2026-11-22, on A processor, 2 cores · Linux 6.1');
    expect(page).toMatch(/^\| uintr, wait\(\) \| 1.00 \(1.00; 1.00\) \| /m);
    expect(page).toMatch(/^\| uintr, wait\(\) \/ Open MPI, C \| [\d.]+ × \|/m);
    expect(page).toContain(
      '- zeromq (ipc): not installed (apt-get install \\<it\\>): in latency, bandwidth, bibandwidth, rate',
    );
    expect(page).not.toMatch(/NaN|undefined|null|\[object|\/home\//);
    expect(page.match(/<details>/g)).toHaveLength(page.match(/<\/details>/g)!.length);
  });

  test('--svg draws the measures that were named', () => {
    const into = join(folder, 'a', 'plots');
    expect(run('main', ['overlap', 'idle', '--from', file, '--svg', into])).toMatchObject({ status: 0, stderr: '' });
    const names = ['idle', 'overlap', 'overlap-longest'].flatMap((name) => [`${name}-dark.svg`, `${name}.svg`]);
    expect(readdirSync(into).sort()).toEqual(names.sort());
  });

  test('a run that is just made is drawn as well', () => {
    const [svg, page] = [join(folder, 'svg'), join(folder, 'page')];
    const args = ['rate', '--quick', '--budget', '1', '--peers', '', '--json', '-', '--svg', svg, '--page', page];
    const ran = run('main', args);
    expect(ran.status).toBe(0);
    expect(ran.lines).toHaveLength(ran.texts.length);
    expect(readdirSync(svg).sort()).toEqual(['rate-dark.svg', 'rate.svg']);
    const text = readFileSync(join(page, 'results.md'), 'utf8');
    expect(text).toContain("`npx uintr bench rate --quick --budget 1 --peers ''`");
    expect(text).toMatch(/- measures that were not asked for: latency, bandwidth, /);
  });

  test.each(['--svg', '--page'])('%s: a folder that cannot be made is refused before anything runs', (option) => {
    const { status, stderr, texts } = run('main', ['latency', option, join(file, 'below-a-file')]);
    expect({ status, texts }).toEqual({ status: 2, texts: [] });
    expect(stderr).toMatch(new RegExp(`^uintr bench: ${option}: ENOTDIR.*below-a-file`));
  });
});

test('there is a word on what limits each measure', () => {
  expect(Object.keys(limits).sort()).toEqual(measures.map(({ name }) => name).sort());
});

test('the command is shown without what it wrote', () => {
  const args = ['latency', '--quick', '--json', '/x/y.json', '--peers', '', '--svg=/x', '--sizes', '8,64', 'rate'];
  expect(commandOf(args)).toBe("npx uintr bench latency --quick --peers '' --sizes 8,64 rate");
  expect(commandOf(args, 'rate')).toBe("npx uintr bench rate --quick --peers '' --sizes 8,64");
});

test('one table, as text and as Markdown', () => {
  const parts = [
    { heading: 'the sender computes' },
    { table: { header: ['µs', '8 B'], rows: [['a_b | c', '1']] } },
    { notes: ['one'] },
    { notes: [] },
    { notes: ['two <3>'] },
  ];
  expect(asText(parts)).toBe('the sender computes\n\nµs       8 B\n────────────\na_b | c    1\n\none\ntwo <3>');
  expect(asMarkdown(parts)).toBe(
    '**the sender computes**\n\n| µs | 8 B |\n| --- | --: |\n| a\\_b \\| c | 1 |\n\n- one\n- two \\<3\\>',
  );
});
