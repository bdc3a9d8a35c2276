// A run as one JSON file: all that is needed to make its tables, and others, again. docs/benchmarks.md has the shape.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { MachineLine, MeasureLine, ProgressLine } from './json.js';
import type { Measure } from './measure.js';
import { UsageError } from './options.js';

const format = 'uintr-bench';
/** Goes up when a reader of the one before would misunderstand. */
const version = 1;

/** What a measure found; progress is not kept, and the machine stands once for all. */
export type Finding = Exclude<MeasureLine, MachineLine | ProgressLine>;

export interface Run {
  format: typeof format;
  version: typeof version;
  /** When it began, ISO 8601. */
  began: string;
  /** What stood after `uintr bench`. */
  arguments: string[];
  machine: MachineLine;
  measures: { name: string; title: string; findings: Finding[] }[];
}

/** Writes after each measure, so that a run that is ended has what it had found. */
export class Recorder {
  readonly run: Run;
  readonly #file: string | undefined;

  /** Without a file, it only collects. Throws UsageError if the file cannot be written: before anything is measured. */
  constructor(file: string | undefined, argv: string[], machine: MachineLine) {
    this.#file = file;
    this.run = { format, version, began: new Date().toISOString(), arguments: argv, machine, measures: [] };
    try {
      this.#write();
    } catch (error) {
      throw new UsageError(`--json: ${(error as Error).message}`);
    }
  }

  add({ name, title }: Measure, lines: MeasureLine[]): void {
    const findings = lines.filter((line): line is Finding => line.bench !== 'progress' && line.bench !== 'machine');
    this.run.measures.push({ name, title, findings });
    this.#write();
  }

  /** Whoever reads it meanwhile finds a whole document. */
  #write(): void {
    if (this.#file === undefined) return;
    const next = `${this.#file}.${process.pid}`;
    writeFileSync(next, `${JSON.stringify(this.run, undefined, 1)}\n`);
    renameSync(next, this.#file);
  }
}

/** Throws UsageError if the file cannot be read, or is none of these. */
export function readRun(file: string): Run {
  let run: Partial<Run>;
  try {
    run = JSON.parse(readFileSync(file, 'utf8')) as Partial<Run>;
  } catch (error) {
    throw new UsageError(`--from: ${file}: ${(error as Error).message}`);
  }
  if (run?.format !== format) throw new UsageError(`--from: ${file}: not written by uintr bench --json`);
  if (run.version !== version)
    throw new UsageError(`--from: ${file}: of version ${run.version}, and this reads ${version}`);
  return run as Run;
}
