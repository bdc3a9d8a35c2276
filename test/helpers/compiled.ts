// C programs and libraries of the tests, made when a test file begins.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './paths.js';

/** `source` (a path in the repository) as a library to preload in `folder`; returns its path. In a rank nothing is made. */
export function preloadable(source: string, folder: string): string {
  const library = join(folder, 'preloadable.so');
  if (folder !== '') execFileSync('gcc', ['-shared', '-fPIC', '-o', library, join(ROOT, source), '-ldl']);
  return library;
}
