// Design, section 5, invariant 2: what runs in a handler uses no libc and no vector register but behind the reductions'
// stub. Two archives hold all of it (binding.gyp), so the linker's and the disassembler's view of them decide.
import { execFileSync, spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { engineArchive, reductionArchive } from './places.js';

function output(archive: string, tool: string, ...args: string[]): string[] {
  return execFileSync(tool, [...args, archive], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
}

/** Of the whole archive, or of one symbol. */
function instructions(archive: string, symbol?: string): string[] {
  const what = symbol === undefined ? '--disassemble' : `--disassemble=${symbol}`;
  return output(archive, 'objdump', what, '--no-show-raw-insn').filter((line) => /^\s+[0-9a-f]+:\t/.test(line));
}

describe.each([engineArchive, reductionArchive].map((path) => [basename(path), path]))('%s', (_, archive) => {
  test('is an archive of its own, not a thin one', () => {
    const members = output(archive, 'ar', 't').filter((line) => line !== '');
    expect(members.length).toBeGreaterThan(0);
    for (const member of members) expect(member).toMatch(/^[\w.-]+\.o$/);
  });

  test('needs no symbol that it does not define itself', () => {
    const defined = new Set<string>();
    const needed = new Set<string>();
    // Columns of `nm --format=posix`: name, type, value, size. Small u, v and w are not undefined unless without a value.
    for (const line of output(archive, 'nm', '--format=posix')) {
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
});

describe('the engine', () => {
  test('uses general-purpose registers only', () => {
    const code = instructions(engineArchive);
    expect(code.length).toBeGreaterThan(0);
    const vector =
      /%(?:[xyz]?mm[0-9]+|st\b|k[0-7]\b|tmm[0-7])|\t(?:emms|vzeroupper|vzeroall|f(?:x?save|x?rstor|ld|st)\w*|xsave\w*|xrstor\w*)\b/;
    expect(code.filter((line) => vector.test(line))).toEqual([]);
  });
});

describe('the reductions', () => {
  /** What the assembler refuses of this when it may use no more than x86-64's first processors had. */
  function refused(code: string[]): string[] {
    // The legacy MMX and x87 registers are not saved.
    const unsaved = code.filter((line) => /%(?:mm[0-7]|st\b)|^emms\b/.test(line));
    const { stderr } = spawnSync('as', ['-march=generic64', '-o', '/dev/null', '-'], {
      input: `${code.join('\n')}\n`,
      encoding: 'utf8',
    });
    return [...unsaved, ...stderr.split('\n').filter((line) => line.includes(' Error: '))];
  }

  test('use no instruction later than SSE2, and so no register that the stub does not save', () => {
    const code = instructions(reductionArchive)
      .map((line) => line.replace(/^.*?:\t/, '').replace(/#.*/, ''))
      // Jumps and padding do not read as they were written.
      .filter((line) => !/^(?:j\w+|call|data16|cs|nop\w*)\s/.test(line));
    expect(code.filter((line) => line.includes('%xmm')).length).toBeGreaterThan(100);
    expect(refused(code)).toEqual([]);
    for (const later of [
      'haddps %xmm1,%xmm2',
      'pshufb %xmm1,%xmm2',
      'pmulld %xmm1,%xmm2',
      'vaddps %ymm1,%ymm2,%ymm3',
    ]) {
      expect(refused([later])).toHaveLength(1);
    }
  });

  test('are entered by a stub that puts MXCSR and all 16 vector registers back where it took them from', () => {
    const stub = instructions(reductionArchive, 'uintr_reduce').map((line) => line.replace(/^.*?:\t/, ''));
    const call = stub.findIndex((line) => line.startsWith('call'));
    const saves = stub.slice(0, call).filter((line) => /^(?:movaps %xmm|stmxcsr)/.test(line));
    const restores = stub.slice(call).filter((line) => /^(?:movaps|ldmxcsr)/.test(line));
    const mirrored = saves.map((line) => line.replace(/ (%xmm\d+),(.*)/, ' $2,$1').replace('stmxcsr', 'ldmxcsr'));
    expect(restores.sort()).toEqual(mirrored.sort());
    const registers = saves.map((line) => /%xmm\d+/.exec(line)?.[0] ?? 'mxcsr');
    expect(registers.sort()).toEqual(['mxcsr', ...Array.from({ length: 16 }, (_, i) => `%xmm${i}`)].sort());
    expect(new Set(saves.map((line) => /\S*\(%rsp\)/.exec(line)?.[0])).size).toBe(saves.length);
  });
});
