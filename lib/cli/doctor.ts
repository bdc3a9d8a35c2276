// `uintr doctor`: what works here, and why not what does not.
import { OPTIONS, resolveOptions, variableOf } from '../options.js';
import { type Support, support, type Verdict } from '../support.js';
import { UsageError } from './failure.js';

/** 0 if ranks can run here. */
export function doctor(args: string[]): number {
  const json = args.includes('--json');
  const unknown = args.find((argument) => argument !== '--json');
  if (unknown !== undefined) throw new UsageError(`doctor: unknown argument '${unknown}'`);
  const found = support();
  const options: Record<string, string | number> = { ...resolveOptions({}, process.env) };
  process.stdout.write(
    json ? `${JSON.stringify({ node: process.version, ...found, options }, null, 2)}\n` : textOf(found, options),
  );
  return found.native.ok ? 0 : 1;
}

function textOf(found: Support, options: Record<string, string | number>): string {
  const { drivers, userInterrupts, copies } = found;
  const lines = [`platform        ${found.platform}, Node ${process.version}`, line('addon', found.native)];
  if (found.native.ok) {
    const { cpu, enabled, abi, emulated, remedy } = userInterrupts;
    lines.push(
      '',
      'user interrupts',
      line('  processor', { ok: cpu, reason: 'CPUID leaf 7, EDX bit 5 is 0' }),
      line('  kernel', { ok: enabled, reason: cpu ? 'it has not set CR4.UINTR' : 'not asked' }),
      `  calls         ${abi ?? 'none'}${abi !== undefined && emulated ? ' (emulated: for tests, not for speed)' : ''}`,
    );
    if (remedy !== undefined) lines.push(`  remedy        ${remedy}`);
  }
  lines.push('', 'drivers');
  for (const [name, verdict] of Object.entries(drivers)) lines.push(line(`  ${name}`, verdict));
  const used = drivers.uintr.ok ? 'uintr' : drivers.signal.ok ? 'signal' : undefined;
  if (used !== undefined) lines.push(`  auto          driver '${used}' in use`);
  lines.push('', 'copies');
  for (const [name, verdict] of Object.entries(copies)) lines.push(line(`  ${name}`, verdict));
  if (found.native.ok) lines.push(`  auto          ${betweenProcesses(copies)}`);
  lines.push(
    '',
    `buffers detached while a request uses them: ${found.holdsBackingStores ? 'kept' : 'the caller’s error'}`,
    '',
    'options (each also by its environment variable)',
  );
  for (const { name, doc } of OPTIONS) {
    lines.push(`  ${variableOf(name).padEnd(24)}${String(options[name]).padEnd(14)}${doc}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What copy: 'auto' comes to. */
function betweenProcesses({ cma }: Support['copies']): string {
  const here = cma.ok ? "copy 'cma' in use" : "copy 'pipeline' in use, and 'heap' for buffers of world.alloc()";
  return `between processes ${here}; between PID namespaces as without cma, and without interrupts`;
}

function line(name: string, { ok, reason }: Verdict): string {
  return `${name.padEnd(16)}${ok ? 'yes' : `no: ${reason ?? 'unknown'}`}`;
}
