// Knows whether a test file is being read by Jest or in a rank, and in a rank collects the bodies of its tests.
import { basename } from 'node:path';
import type { JoinOptions, World } from '../../lib/index.js';

/** What a body has besides its world. */
export interface Tools {
  /** Which process this is; with a world of all processes also the rank, unless ranks go by arrival. */
  readonly rank: number;
  readonly ranks: number;
  /** Options that join() uses, for bodies that want others. */
  readonly joinOptions: JoinOptions;
  join(more?: JoinOptions): Promise<World>;
  /** Ends the worker that is this rank; for the main thread of its process. */
  terminate(rank: number): Promise<number>;
  /** Starts it once more, for another world. */
  restart(rank: number, join: JoinOptions): void;
  /** Says what the rank is about to do; the last note shows in the report of a hang. */
  note(what: string): void;
  /** Tells the test (`crew.event`). */
  tell(event: string, data?: unknown): void;
}

export type Body = (t: Tools) => unknown;

/** What rank-main.js is to do; its only argument, as JSON. */
export interface Task {
  file: string;
  test: string;
  ranks: number;
  rank?: number;
  join?: JoinOptions;
  /** Ranks that are worker threads of this process. */
  workers?: readonly number[];
}

const path: string[] = [];
const bodies = new Map<string, Body>();
let environment: Record<string, string> = {};

export const registry = {
  /** The test file is read in a rank, not by Jest. */
  inRank: basename(process.argv[1] ?? '') === 'rank-main.js',

  /** What stands for Jest's globals in a rank. */
  globals(): Record<string, unknown> {
    const describe = (name: string, body: () => void): void => {
      path.push(name);
      body();
      path.pop();
    };
    const ignore = (): void => {};
    const it = Object.assign(ignore, { each: () => ignore });
    return { describe, it, test: it, beforeAll: ignore, beforeEach: ignore, afterAll: ignore, afterEach: ignore };
  },

  add(name: string, body: Body): void {
    const full = [...path, name].join(' ');
    if (bodies.has(full)) throw new Error(`two tests are called "${full}"`);
    bodies.set(full, body);
  },

  body(full: string): Body {
    const body = bodies.get(full);
    if (!body) throw new Error(`no test is called "${full}"; there are: ${[...bodies.keys()].join('; ')}`);
    return body;
  },

  /** What the tests that are being declared get as their environment. */
  environment: (): Record<string, string> => environment,

  withEnvironment(variables: Record<string, string>, declare: () => void): void {
    const outer = environment;
    environment = { ...outer, ...variables };
    declare();
    environment = outer;
  },
};
