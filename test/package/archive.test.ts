// Design, section 5, invariant 2: what runs in a handler uses no libc and no vector register. The archive holds all of it
// (binding.gyp), so the linker's and the disassembler's view of the archive decide.
import { execFileSync } from 'node:child_process';
import { engineArchive } from './places.js';

function output(tool: string, ...args: string[]): string[] {
  return execFileSync(tool, [...args, engineArchive], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
}

describe('the archive of what handlers can reach', () => {
  test('is an archive of its own, not a thin one', () => {
    const members = output('ar', 't').filter((line) => line !== '');
    expect(members.length).toBeGreaterThan(0);
    for (const member of members) expect(member).toMatch(/^[\w.-]+\.o$/);
  });

  test('needs no symbol that it does not define itself', () => {
    const defined = new Set<string>();
    const needed = new Set<string>();
    // Columns of `nm --format=posix`: name, type, value, size. Small u, v and w are not undefined unless without a value.
    for (const line of output('nm', '--format=posix')) {
      const [name, type, value] = line.split(' ');
      if (type === undefined || type === '') continue;
      if (type === 'U' || (/^[vw]$/.test(type) && !value)) needed.add(name);
      else defined.add(name);
    }
    // The linker makes this one: the address of the table that position-independent code finds its data by.
    defined.add('_GLOBAL_OFFSET_TABLE_');
    expect([...needed].filter((name) => !defined.has(name))).toEqual([]);
    expect(defined.size).toBeGreaterThan(1);
  });

  test('uses general-purpose registers only', () => {
    const code = output('objdump', '--disassemble', '--no-show-raw-insn');
    const instructions = code.filter((line) => /^\s+[0-9a-f]+:\t/.test(line));
    expect(instructions.length).toBeGreaterThan(0);
    const vector =
      /%(?:[xyz]?mm[0-9]+|st\b|k[0-7]\b|tmm[0-7])|\t(?:emms|vzeroupper|vzeroall|f(?:x?save|x?rstor|ld|st)\w*|xsave\w*|xrstor\w*)\b/;
    expect(instructions.filter((line) => vector.test(line))).toEqual([]);
  });
});
