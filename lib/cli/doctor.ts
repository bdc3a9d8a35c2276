// `uintr doctor`: what works here, and why not what does not.
import { OPTIONS, resolveOptions, variableOf } from '../options.js';
import { support, type Verdict } from '../support.js';

/** 0 if ranks can run here. */
export function doctor(): number {
  const found = support();
  const lines = [`platform   ${found.platform}, Node ${process.version}`, line('addon', found.native), '', 'drivers'];
  for (const [name, verdict] of Object.entries(found.drivers)) lines.push(line(`  ${name}`, verdict));
  lines.push('', 'copies');
  for (const [name, verdict] of Object.entries(found.copies)) lines.push(line(`  ${name}`, verdict));
  lines.push(
    '',
    `buffers detached while a request uses them: ${found.holdsBackingStores ? 'kept' : 'the caller’s error'}`,
  );
  lines.push('', 'options (each also by its environment variable)');
  const resolved: Record<string, string | number> = { ...resolveOptions({}, process.env) };
  for (const { name, doc } of OPTIONS) {
    lines.push(`  ${variableOf(name).padEnd(24)}${String(resolved[name]).padEnd(14)}${doc}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  return found.native.ok ? 0 : 1;
}

function line(name: string, { ok, reason }: Verdict): string {
  return `${name.padEnd(14)}${ok ? 'yes' : `no: ${reason ?? 'unknown'}`}`;
}
