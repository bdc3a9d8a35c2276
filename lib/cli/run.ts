// `uintr run`: starts the ranks of one world.
import { binding } from '../binding.js';
import { INSPECT_VARIABLE, inspectSignal } from '../inspect-signal.js';
import { OPTIONS, resolveOptions, variableOf } from '../options.js';
import { UsageError } from './failure.js';
import { Ranks } from './ranks.js';

const MAX_RANKS = 1024;

export const RUN_USAGE = `uintr run -n <ranks> [options] script.js [arguments]
uintr run -n <ranks> [options] -- command [arguments]

Starts <ranks> processes (1 to ${MAX_RANKS}) whose World.join() puts them into one world, prefixes their output with the
rank, and ends with the exit code of the first that fails (128 + signal), after ending the others.

On SIGUSR2 (or what ${INSPECT_VARIABLE} names) each rank, threads too, prints what it waits for: when its event
loop turns, or while it blocks in wait().

${OPTIONS.map(({ name, doc }) => `  ${`--${flagOf(name)} <value>`.padEnd(30)}${doc}`).join('\n')}
`;

interface Parsed {
  ranks: number;
  env: Record<string, string>;
  command: string;
  args: string[];
}

/** Resolves with the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const { ranks: size, env: options, command, args } = parse(argv);
  const env: NodeJS.ProcessEnv = { ...process.env, ...options };
  env[INSPECT_VARIABLE] ||= 'SIGUSR2';
  // Before anything is started: a wrong value would otherwise be told by every rank.
  resolveOptions({}, env);
  const inspect = inspectSignal(env)!;
  const hub = binding().createHub(size);
  const ranks = new Ranks();
  const forget = forwardSignals(ranks, inspect);
  try {
    return await ranks.run({ command, args, env, sockets: hub.fds });
  } finally {
    forget();
    hub.close();
  }
}

function forwardSignals(ranks: Ranks, inspect: NodeJS.Signals): () => void {
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP', inspect] as const).map((signal) => {
    const handler = (): void => (signal === inspect ? ranks.signalListeners(signal) : ranks.signal(signal));
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  // Nobody reads on (`uintr run … | head`): what SIGPIPE would have done.
  const broken = (): void => ranks.end(128 + 13);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', broken);
    stream.setMaxListeners(0); // every rank is piped to it
  }
  return () => {
    for (const forget of handlers) forget();
  };
}

function parse(argv: readonly string[]): Parsed {
  const rest = [...argv];
  const env: Record<string, string> = {};
  let ranks: number | undefined;
  while (rest.length > 0 && rest[0]!.startsWith('-') && rest[0] !== '--') {
    const [flag, inline] = splitOnce(rest.shift()!);
    const value = (): string => {
      const given = inline ?? rest.shift();
      if (given === undefined) throw new UsageError(`${flag} needs a value`);
      return given;
    };
    if (flag === '-n' || flag === '--ranks') {
      ranks = wholeNumber(flag, value());
      continue;
    }
    const option = OPTIONS.find(({ name }) => `--${flagOf(name)}` === flag);
    if (option === undefined) throw new UsageError(`unknown option ${flag}`);
    env[variableOf(option.name)] = value();
  }
  if (ranks === undefined) throw new UsageError('-n <ranks> is missing');
  if (rest[0] === '--') {
    const [, command, ...args] = rest;
    if (command === undefined) throw new UsageError('no command after --');
    return { ranks, env, command, args };
  }
  if (rest.length === 0) throw new UsageError('no script to run');
  return { ranks, env, command: process.execPath, args: rest };
}

function wholeNumber(flag: string, text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MAX_RANKS) return value;
  throw new UsageError(`${flag} must be a number of ranks from 1 to ${MAX_RANKS}; it is '${text}'`);
}

/** `--eager-limit=4096` into its two parts. */
function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
