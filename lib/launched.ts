// What a launcher (`uintr run`) leaves for the ranks that it starts.
import { fstatSync } from 'node:fs';
import { UintrError } from './errors.js';

/** `<descriptor of the rank's socket>:<ranks>:<inode of that socket>` */
export const BOOTSTRAP_VARIABLE = 'UINTR_BOOTSTRAP';

export interface Bootstrap {
  hubFd: number;
  size: number;
}

/** `socket` is the rank's end in the launcher; there it may have another number. */
export function encodeBootstrap({ hubFd, size }: Bootstrap, socket: number): string {
  return `${hubFd}:${size}:${inodeOf(socket)}`;
}

// The variable reaches further than the descriptor: a child that a rank starts before it joins inherits only the
// former, and has something of its own under that number.
function inodeOf(fd: number): string | undefined {
  try {
    const stat = fstatSync(fd, { bigint: true });
    return stat.isSocket() ? `${stat.ino}` : undefined;
  } catch {
    return undefined;
  }
}

/** Takes it out of the environment, so that the children of a rank do not inherit a rank. */
export function takeBootstrap(env: NodeJS.ProcessEnv): Bootstrap | undefined {
  const text = env[BOOTSTRAP_VARIABLE];
  if (text === undefined) return undefined;
  delete env[BOOTSTRAP_VARIABLE];
  const match = /^(\d{1,9}):(\d{1,9}):(\d+)$/.exec(text);
  if (match === null) {
    throw new UintrError(
      'ERR_UINTR_JOIN',
      `${BOOTSTRAP_VARIABLE} is '${text}', which no launcher of this version writes`,
    );
  }
  const hubFd = Number(match[1]);
  if (inodeOf(hubFd) !== match[3]) {
    throw new UintrError(
      'ERR_UINTR_JOIN',
      `${BOOTSTRAP_VARIABLE} is '${text}', but descriptor ${hubFd} is not the launcher's socket: this process was not started by the launcher itself, or the rank has joined before`,
    );
  }
  return { hubFd, size: Number(match[2]) };
}
