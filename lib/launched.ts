// What a launcher of this package (`uintr run`, World.spawn) leaves for the ranks that it starts, and how a rank takes it.
import { fstatSync } from 'node:fs';
import { UintrError } from './errors.js';
import { dropJob, takeJob } from './mpi-launchers.js';

/** `<descriptor of the rank's socket>:<ranks>:<inode of that socket>` */
export const BOOTSTRAP_VARIABLE = 'UINTR_BOOTSTRAP';

export interface Bootstrap {
  hubFd: number;
  size: number;
}

/** Where a rank's world is, in the terms of the addon: by the launcher's socket, or under a name. */
export type Place =
  | (Bootstrap & { hubInode: number })
  | { name?: string; size: number; rank?: number; rejoin?: number };

/** `socket` is the rank's end in the launcher; there it may have another number. */
export function encodeBootstrap({ hubFd, size }: Bootstrap, socket: number): string {
  return `${hubFd}:${size}:${inodeOf(socket)}`;
}

// The variable reaches further than the descriptor: a child that a rank starts before it joins inherits only the
// former, and has something of its own under that number.
export function inodeOf(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isSocket() ? stat.ino : undefined;
  } catch {
    return undefined;
  }
}

/** Takes it out of the environment, so that the children of a rank do not inherit a rank. */
function takeBootstrap(env: NodeJS.ProcessEnv): Place | undefined {
  const text = env[BOOTSTRAP_VARIABLE];
  if (text === undefined) return undefined;
  delete env[BOOTSTRAP_VARIABLE];
  const match = /^(\d{1,9}):(\d{1,9}):(\d{1,15})$/.exec(text);
  if (match === null) {
    throw new UintrError(
      'ERR_UINTR_JOIN',
      `${BOOTSTRAP_VARIABLE} is '${text}', which no launcher of this version writes`,
    );
  }
  const [hubFd, size, hubInode] = match.slice(1).map(Number) as [number, number, number];
  if (inodeOf(hubFd) !== hubInode) {
    throw new UintrError(
      'ERR_UINTR_JOIN',
      `${BOOTSTRAP_VARIABLE} is '${text}', but descriptor ${hubFd} is not the launcher's socket: this process was not started by the launcher itself, or the rank has joined before`,
    );
  }
  return { hubFd, size, hubInode };
}

let launched = false;

/** The launcher's world, once: of this package's launcher, else of an MPI's. */
export function takeLaunched(env: NodeJS.ProcessEnv): Place | undefined {
  const bootstrap = takeBootstrap(env);
  if (bootstrap !== undefined) dropJob(env);
  const place = bootstrap ?? takeJob(env);
  if (place !== undefined) {
    launched = true;
    return place;
  }
  // A world of size 1 instead would be a surprise.
  if (launched)
    throw new UintrError('ERR_UINTR_JOIN', "this process has left its launcher's world, which cannot be joined twice");
  return undefined;
}
