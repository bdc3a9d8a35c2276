// How many cycles of the time-stamp counter a microsecond has. It runs at the processor's nominal frequency.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

const baseFrequency = '/sys/devices/system/cpu/cpu0/cpufreq/base_frequency';

export interface Rate {
  cyclesPerMicro: number;
  /** Who says so. */
  by: string;
}

/** Undefined where nobody says. */
export function counterRate(
  file = baseFrequency,
  cpu: { model: string; speed: number } = cpus()[0] ?? { model: '', speed: 0 },
): Rate | undefined {
  try {
    const kilohertz = Number(readFileSync(file, 'utf8'));
    if (kilohertz > 0) return { cyclesPerMicro: kilohertz / 1000, by: file };
  } catch {
    // Not there in most virtual machines.
  }
  const gigahertz = /([\d.]+)GHz/.exec(cpu.model)?.[1];
  if (gigahertz !== undefined) return { cyclesPerMicro: Number(gigahertz) * 1000, by: 'the name of the processor' };
  // Of a virtual machine this is the counter's, of others the momentary frequency.
  return cpu.speed > 0 ? { cyclesPerMicro: cpu.speed, by: 'cpu MHz in /proc/cpuinfo' } : undefined;
}
