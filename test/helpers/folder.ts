import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registry } from './registry.js';

/** A new folder, gone when the tests around the call are over. A rank, which loads the same file, gets none. */
export function temporaryFolder(name: string): string {
  if (registry.inRank) return '';
  const folder = mkdtempSync(join(tmpdir(), `uintr-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}
