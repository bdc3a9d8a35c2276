// The binary must load without a compiler and without an install script, on systems as old as glibc 2.28 and GCC 8's
// libstdc++ (Debian 10, RHEL 8).
//
// A newer symbol comes in unnoticed, because the linker takes the newest version that the build machine has. Frequent
// ones on Debian 12, and what to use instead:
//   pthread_create, _join, _detach, _once, _kill, _key_create,
//   _mutex_trylock, _mutexattr_setrobust, _rwlock_*, _setname_np   2.34   uv_thread_*, uv_once, uv_key_*, uv_mutex_*; raw tgkill
//   sem_*, timer_create, dlopen, dlsym, shm_open                   2.34   uv_sem_*, raw system call, uv_dlopen, uv_dlsym
//   pthread_sigmask, pthread_getattr_np                            2.32   raw rt_sigprocmask
//   __libc_single_threaded, by way of std::shared_ptr              2.32   std::unique_ptr
//   stat, fstat, lstat, mknod                                      2.33   statx
//   gettid, tgkill 2.30; getcpu 2.29; close_range 2.34; epoll_pwait2 2.35; pidfd_*, arc4random 2.36      raw system call
// Fine as they are: pthread_mutex_lock, pthread_cond_*, pthread_self, sigaction, memfd_create, getrandom, fcntl,
// process_vm_readv, sched_getcpu.
import { execFileSync } from 'node:child_process';
import { root, shippedBinary } from './places.js';

const newestAllowed: Record<string, string> = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' };

interface DynamicSymbol {
  name: string;
  undefined: boolean;
  weak: boolean;
  /** As in GLIBC_2.14; empty where the symbol has none (Node's own). */
  version: string;
}

function dynamicSymbols(): DynamicSymbol[] {
  const lines = execFileSync('objdump', ['-T', shippedBinary()], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    // 0000000000000000  w   DF *UND*  0000000000000000 (GLIBC_2.2.5) __cxa_finalize
    const match = /^[0-9a-f]{16} (.{7}) (\S+)\t[0-9a-f]{16}\s+(?:\(?([\w.]+)\)?\s+)?(?:\.hidden )?(\S+)$/.exec(line);
    if (match === null) return [];
    const [, flags, section, version, name] = match;
    return [
      {
        name,
        undefined: section === '*UND*',
        weak: flags.includes('w'),
        version: version === 'Base' ? '' : (version ?? ''),
      },
    ];
  });
}

function isNewer(version: string, than: string): boolean {
  const a = version.split('.').map(Number);
  const b = than.split('.').map(Number);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

describe('the shipped binary', () => {
  test('needs nothing newer than glibc 2.28 and the libstdc++ of GCC 8', () => {
    const needed = dynamicSymbols().filter((symbol) => symbol.undefined && symbol.version !== '');
    expect(needed.length).toBeGreaterThan(0);
    const tooNew = needed.filter(({ version }) => {
      const [family, number] = version.split('_');
      const limit = newestAllowed[family];
      return limit === undefined || isNewer(number, limit);
    });
    expect(tooNew.map(({ name, version }) => `${name} ${version}`)).toEqual([]);
  });

  test('needs no library beyond those that Node itself needs', () => {
    const libraries = [...dynamicSection().matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
    const node = [
      'libstdc++.so.6',
      'libgcc_s.so.1',
      'libc.so.6',
      'libm.so.6',
      'libpthread.so.0',
      'libdl.so.2',
      'ld-linux-x86-64.so.2',
    ];
    expect(libraries.filter((name) => !node.includes(name))).toEqual([]);
  });

  test('takes from Node only Node-API and libuv, whose binary interfaces are stable', () => {
    const unversioned = dynamicSymbols().filter((symbol) => symbol.undefined && !symbol.weak && symbol.version === '');
    expect(unversioned.map(({ name }) => name).filter((name) => !/^(napi|node_api|uv)_/.test(name))).toEqual([]);
  });

  test('exports its entry points and no other name of its own', () => {
    const exported = dynamicSymbols().filter((symbol) => !symbol.undefined);
    // Instances of the standard library's templates are exported, whatever the visibility: weakly, or as unique.
    const own = exported.filter((symbol) => !symbol.weak && !/^_ZZ?NK?St/.test(symbol.name)).map(({ name }) => name);
    // What all copies of the addon in a process share (bootstrap/copy_permission.cc).
    const shared = '_ZN5uintr13copy_grants_1E';
    expect(own.sort()).toEqual([shared, 'napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });

  test('stays mapped for as long as the process lives, since a handler may still run', () => {
    expect(dynamicSection()).toMatch(/FLAGS_1.*NODELETE/);
  });

  test('is bound at load, has no executable stack and no text relocations', () => {
    expect(dynamicSection()).toMatch(/BIND_NOW/);
    expect(dynamicSection()).not.toMatch(/TEXTREL/);
    const stack = readelf('-lW')
      .split('\n')
      .find((line) => line.includes('GNU_STACK'));
    expect(stack).toMatch(/ RW /);
  });

  test('names no folder of the machine that built it', () => {
    const strings = execFileSync('strings', ['-a', shippedBinary()], { encoding: 'utf8', maxBuffer: 1 << 28 });
    expect(strings.split('\n').filter((line) => line.includes(root))).toEqual([]);
  });
});

function dynamicSection(): string {
  return readelf('-dW');
}

function readelf(option: string): string {
  return execFileSync('readelf', [option, shippedBinary()], { encoding: 'utf8' });
}
