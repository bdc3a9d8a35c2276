// How the command line ends when it was not asked rightly, or cannot do what it was asked.

/** Wrong usage: told with a pointer to --help, exit code 2. */
export class UsageError extends Error {}

/** Exit code of what could not be started (as shells use it). */
export const COULD_NOT_START = 127;
