// Progress on stderr: one line that is overwritten on a terminal, a line per step elsewhere.
import type { ProgressLine } from './json.js';

const wipe = '\r\x1b[K';

export function showProgress({ measure, step, steps, what }: ProgressLine): void {
  const text = `${measure} ${step}/${steps}: ${what}`;
  process.stderr.write(process.stderr.isTTY ? wipe + text : `${text}\n`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(wipe);
}
