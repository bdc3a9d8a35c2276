import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idle } from '../../bench/idle.js';
import type { MeasureLine } from '../../bench/lib/json.js';
import { Rapl } from '../../bench/lib/rapl.js';

describe('power of a machine where ranks wait', () => {
  afterEach(() => jest.restoreAllMocks());

  test('is that of each contestant, and of nobody, from start to end', async () => {
    // Each reading is 3 J more than the one before, whatever the time.
    let readings = 0;
    const rapl = {
      read: () => [++readings * 3e6],
      joulesSince: ([before]: number[]) => 3 + readings * 3 - before / 1e6,
    };
    jest.spyOn(Rapl, 'open').mockReturnValue(Object.setPrototypeOf(rapl, Rapl.prototype) as Rapl);
    const lines: MeasureLine[] = [];
    await idle.run({ names: [], help: false, quick: true, budget: 50, peers: [] }, (line) => lines.push(line));
    const results = lines.filter((line) => line.bench === 'result');
    const watts = results.filter(({ figure }) => figure.unit === 'W');
    expect(watts.map(({ contestant }) => contestant)).toEqual(['uintr/await', 'uintr/wait', 'nobody']);
    for (const { figure, time } of watts) expect(figure.median * time.median).toBeCloseTo(3e6, 0);
    // Nobody spends no time of its own waiting.
    const times = results.filter(({ figure }) => figure.unit === '%');
    expect(times.map(({ contestant }) => contestant)).toEqual(['uintr/await', 'uintr/wait']);
  });
});

describe('energy by RAPL', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'uintr-test-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function zone(name: string, energy: number, range = 1e9): void {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'energy_uj'), `${energy}\n`);
    writeFileSync(join(root, name, 'max_energy_range_uj'), `${range}\n`);
  }

  function open(): Rapl {
    const rapl = Rapl.open(root);
    if (!(rapl instanceof Rapl)) throw new Error(rapl.reason);
    return rapl;
  }

  test('is the sum of all packages, and not of their parts', () => {
    for (const name of ['intel-rapl:0', 'intel-rapl:1', 'intel-rapl:0:0']) zone(name, 1e6);
    const rapl = open();
    const before = rapl.read();
    zone('intel-rapl:0', 3e6);
    zone('intel-rapl:1', 1.5e6);
    zone('intel-rapl:0:0', 9e6);
    expect(rapl.joulesSince(before)).toBeCloseTo(2.5, 6);
  });

  test('goes on where a counter begins again', () => {
    zone('intel-rapl:0', 9e6, 10e6);
    const rapl = open();
    const before = rapl.read();
    zone('intel-rapl:0', 1e6, 10e6);
    expect(rapl.joulesSince(before)).toBeCloseTo(2, 6);
  });

  test('that is not there, or may not be read, is a reason', () => {
    expect(Rapl.open(join(root, 'none'))).toEqual({ reason: `no RAPL: there is no ${root}/none` });
    expect(Rapl.open(root)).toEqual({ reason: `no RAPL: no package in ${root}` });
    mkdirSync(join(root, 'intel-rapl:0'));
    expect(Rapl.open(root)).toEqual({ reason: expect.stringMatching(/^no RAPL: ENOENT.*max_energy_range_uj/) });
  });
});
