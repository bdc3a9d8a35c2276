// Runs fixtures/launched.js, and gives what its ranks have said.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { cleanEnvironment } from './rank-test.js';

export const LAUNCHED = join(__dirname, '..', 'api', 'fixtures', 'launched.js');

/** What one rank has said. */
export interface Said {
  rank?: number;
  heard?: string[];
  inner?: number;
  again?: number | string;
  code?: string;
  message?: string;
}

/** By rank. Lines may have a prefix. */
export async function said(command: string, args: string[], env: Record<string, string> = {}): Promise<Said[]> {
  const child = spawn(command, args, { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  await once(child, 'close');
  const lines = [...output.matchAll(/\{.*\}/g)].map(([json]) => JSON.parse(json) as Said);
  if (lines.length === 0) throw new Error(`${command} ${args.join(' ')} said nothing: ${output}${errors}`);
  return lines.sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
}

/** What all ranks of a job say that was started with `token`, and in which each rank joins without arguments. */
export function complete(size: number, token: string): Said[] {
  const heard = Array.from({ length: size }, () => token);
  return heard.map((_, rank) => ({ rank, heard, inner: 1, again: 'ERR_UINTR_JOIN' }));
}
