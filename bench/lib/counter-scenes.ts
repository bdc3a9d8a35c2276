// The scenarios of counter, as they are called in its results.
import type { Crew, Series } from './counter-plan.js';

export const scenes = {
  threads: sceneOf('native code', 'threads'),
  processes: sceneOf('native code', 'processes'),
  onOne: sceneOf('native code', 'processes on one processor'),
  held: 'a holder that does not run',
};

export function sceneOf(series: Series, crew: Crew | string): string {
  return `${series}, ${crew}`;
}
