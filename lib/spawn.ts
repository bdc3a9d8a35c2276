// World.spawn: a world of this rank and of processes or threads that it starts for it.
import type { EventEmitter } from 'node:events';
import { statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { checkOptions, keySet } from './arguments.js';
import { binding, type NativeFailure, type NativeHub } from './binding.js';
import { type ChildExit, Children, describeExit, type Start } from './children.js';
import { invalidArgument, UintrError, type UintrErrorCode } from './errors.js';
import { attempt, type Enterable, type Make } from './join.js';
import { BOOTSTRAP_VARIABLE, encodeBootstrap, inodeOf } from './launched.js';
import { OPTIONS, type ResolvedOptions, resolveOptions, variableOf, type WorldOptions } from './options.js';

/** Options of {@link World.spawn}; those of the world hold for the children too, as far as `env` has no others. */
export interface SpawnOptions extends WorldOptions {
  /** How many to start, 1 to 1023: the world has one rank more. */
  ranks: number;
  /** What to start. Default `process`. */
  kind?: 'process' | 'thread';
  /** Arguments of the script (`process.argv` from 2 on). */
  args?: readonly string[];
  /** Environment of the children, instead of this process's. */
  env?: NodeJS.ProcessEnv;
  /** Options for node; default: those of this process. Threads take only what Worker's `execArgv` does. */
  execArgv?: readonly string[];
}

const MAX_CHILDREN = 1023;
const SPAWN_KEYS = keySet('ranks', 'kind', 'args', 'env', 'execArgv', ...OPTIONS.map(({ name }) => name));
/** Where a process finds its socket to the hub. */
const HUB_FD = 3;

export async function spawnWorld<W extends EventEmitter & Enterable>(
  script: string | URL,
  options: SpawnOptions,
  make: Make<W>,
): Promise<W> {
  const given = checkOptions<SpawnOptions>(options, SPAWN_KEYS);
  const ranks = ranksOf(given);
  const what = startOf(script, given);
  const resolved = resolveOptions(given, process.env);
  const size = ranks + 1;

  const hub = hubFor(size);
  const children = new Children();
  const startAll = (): void => {
    for (let rank = 1; rank < size; rank += 1) {
      const socket = hub.fds[rank]!;
      const hubFd = what.kind === 'thread' ? socket : HUB_FD;
      const env = {
        ...environmentOf(what.env, resolved),
        [BOOTSTRAP_VARIABLE]: encodeBootstrap({ hubFd, size }, socket),
      };
      const ended = children.start(rank, { ...what, env }, socket);
      // A thread uses the same descriptor as this one: it is given up when the thread is gone without having taken it.
      if (what.kind === 'thread') void ended.then(() => hub.release(rank));
      else hub.release(rank);
    }
  };
  try {
    const world = await attempt({
      place: { hubFd: hub.fds[0]!, hubInode: inodeOf(hub.fds[0]!)!, size },
      resolved,
      given,
      make,
      onStarted: startAll,
    });
    children.unref();
    // Not before the caller can listen.
    children.onExit((exit) => void setImmediate(tell, world, exit));
    return world;
  } catch (error) {
    // Nobody waits for the others any more.
    hub.close();
    const failure = await explained(error as UintrError, children);
    await children.end();
    throw failure;
  } finally {
    hub.close();
  }
}

function hubFor(size: number): NativeHub {
  try {
    return binding().createHub(size);
  } catch (error) {
    const { code, message, errno, syscall } = error as NativeFailure;
    throw new UintrError(code as UintrErrorCode, message, { errno, syscall });
  }
}

/** With the end of the child that is to blame, where one is. */
async function explained(error: UintrError, children: Children): Promise<UintrError> {
  // As the hub says it (src-native/bootstrap/rendezvous.cc).
  const [, peer] = /^rank (\d+) ended before /.exec(error.message) ?? [];
  const exit = peer === undefined ? undefined : await children.exitOf(Number(peer));
  if (exit === undefined) return error;
  const ran = exit.exitCode !== null || exit.signal !== null;
  return new UintrError('ERR_UINTR_JOIN', `rank ${peer} ${describeExit(exit)}${ran ? ', before it had joined' : ''}`, {
    rank: 0,
    peer: exit.rank,
    cause: exit,
  });
}

function tell(world: EventEmitter, exit: ChildExit): void {
  if (world.emit('child-exit', exit) || exit.exitCode === 0) return;
  process.emitWarning(`rank ${exit.rank} of a spawned world ${describeExit(exit)}`, {
    type: 'UintrWarning',
    code: 'UINTR_CHILD_FAILED',
    ...(exit.error !== undefined && { detail: inspect(exit.error) }),
  });
}

/** With the options as variables: what must be equal in all ranks then is. An `env` of the caller's has the last word. */
function environmentOf(base: NodeJS.ProcessEnv, resolved: ResolvedOptions): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(base)) if (value !== undefined) env[key] = `${value}`;
  for (const { name } of OPTIONS) {
    const variable = variableOf(name);
    if (base === process.env || !env[variable]) env[variable] = `${resolved[name]}`;
  }
  return env;
}

function ranksOf({ ranks }: SpawnOptions): number {
  if (Number.isInteger(ranks) && ranks >= 1 && ranks <= MAX_CHILDREN) return ranks;
  throw invalidArgument('ranks', `a number of ranks from 1 to ${MAX_CHILDREN}`, ranks);
}

function startOf(
  script: string | URL,
  { kind = 'process', args = [], env = process.env, execArgv }: SpawnOptions,
): Start {
  if (kind !== 'process' && kind !== 'thread') throw invalidArgument('kind', "'process' or 'thread'", kind);
  if (typeof env !== 'object' || env === null) throw invalidArgument('env', 'an object of strings', env);
  return {
    kind,
    script: pathOf(script),
    args: stringsIn('args', args),
    env,
    execArgv: execArgv && stringsIn('execArgv', execArgv),
  };
}

function pathOf(script: string | URL): string {
  const isUrl = typeof script === 'object' && script !== null && 'href' in script;
  try {
    const path = isUrl ? fileURLToPath(script.href) : resolvePath(script);
    if (script !== '' && statSync(path).isFile()) return path;
  } catch {
    // It is no path, or no file is there.
  }
  throw invalidArgument('script', 'the path or file: URL of a file', isUrl ? script.href : script);
}

function stringsIn(name: string, value: readonly string[]): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.includes('\0'))) return value;
  throw invalidArgument(name, 'an array of strings', value);
}
