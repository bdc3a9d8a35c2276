// Energy of the processor packages, as Linux tells it (Documentation/power/powercap/powercap.rst).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Zone {
  path: string;
  /** Where its counter begins again, in microjoules. */
  range: number;
}

/** What every package has used, in microjoules. */
export type Reading = number[];

export class Rapl {
  readonly #zones: Zone[];

  /** Why there is none to read, or one that can be. */
  static open(root = '/sys/class/powercap'): Rapl | { reason: string } {
    let names: string[];
    try {
      names = readdirSync(root);
    } catch {
      return { reason: `no RAPL: there is no ${root}` };
    }
    // intel-rapl:0 is a package, also AMD's; intel-rapl:0:1 is a part of it.
    const packages = names.filter((name) => /^intel-rapl:\d+$/.test(name)).map((name) => join(root, name));
    if (packages.length === 0) return { reason: `no RAPL: no package in ${root}` };
    try {
      const rapl = new Rapl(packages.map((path) => ({ path, range: number(path, 'max_energy_range_uj') })));
      rapl.read();
      return rapl;
    } catch (error) {
      return { reason: `no RAPL: ${(error as Error).message}` };
    }
  }

  private constructor(zones: Zone[]) {
    this.#zones = zones;
  }

  read(): Reading {
    return this.#zones.map(({ path }) => number(path, 'energy_uj'));
  }

  /** Joules of all packages since then; a counter that began again is taken to have done so once. */
  joulesSince(before: Reading): number {
    const used = this.read().map((now, i) =>
      now >= before[i] ? now - before[i] : now + this.#zones[i].range - before[i],
    );
    return used.reduce((sum, one) => sum + one, 0) / 1e6;
  }
}

function number(path: string, name: string): number {
  return Number(readFileSync(join(path, name), 'utf8'));
}
