// What a launcher (`uintr run`) leaves for the ranks that it starts.
import { UintrError } from './errors.js';

/** `<descriptor of the rank's socket>:<ranks>` */
export const BOOTSTRAP_VARIABLE = 'UINTR_BOOTSTRAP';

export interface Bootstrap {
  hubFd: number;
  size: number;
}

export function encodeBootstrap({ hubFd, size }: Bootstrap): string {
  return `${hubFd}:${size}`;
}

/** Takes it out of the environment, so that the children of a rank do not inherit a rank. */
export function takeBootstrap(env: NodeJS.ProcessEnv): Bootstrap | undefined {
  const text = env[BOOTSTRAP_VARIABLE];
  if (text === undefined) return undefined;
  delete env[BOOTSTRAP_VARIABLE];
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(text);
  if (match === null) {
    throw new UintrError(
      'ERR_UINTR_JOIN',
      `${BOOTSTRAP_VARIABLE} is '${text}', which no launcher of this version writes`,
    );
  }
  return { hubFd: Number(match[1]), size: Number(match[2]) };
}
