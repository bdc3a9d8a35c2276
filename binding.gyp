{
  'variables': {
    # Of whatever an interrupt handler can reach.
    'handler_cflags': [
      '-O2',
      '-fPIC',
      '-ffreestanding',
      # Loops are not to be turned into calls of memcpy and its kin, nor into code that uses vector registers.
      '-fno-tree-loop-distribute-patterns',
      '-fno-tree-vectorize',
      # What some distributions switch on by default and what calls into libc.
      '-fno-stack-protector',
      '-U_FORTIFY_SOURCE',
      # Assembly in the addon carries no such marks, so marks on the rest would promise what the whole does not keep.
      '-fcf-protection=none',
      '-fno-asynchronous-unwind-tables',
      # Any other model may call __tls_get_addr, which allocates on first use.
      '-ftls-model=initial-exec',
    ],
    # uintr needs Linux on x86-64. Elsewhere the build makes nothing, and the package says why at run time.
    'conditions': [
      ['OS=="linux" and target_arch=="x64"', { 'uintr_supported': 1 }, { 'uintr_supported': 0 }],
    ],
  },
  'conditions': [
    ['uintr_supported==1', {
      'target_defaults': {
        'include_dirs': ['src-native'],
        # node's common.gypi brings an older standard and -O3; what is removed here is set again below.
        'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=c++17'],
        'configurations': {
          'Release': { 'cflags!': ['-O3'] },
        },
        'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden'],
        'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden'],
      },
      'targets': [
        {
          # Everything that an interrupt handler can reach, in an archive of its own, so that a test can look at it as a
          # whole: no undefined symbols, no vector registers (test/package/archive.test.ts).
          'target_name': 'uintr_engine',
          'type': 'static_library',
          # A real archive; the default is a thin one, which is a list of paths into the build folder.
          'standalone_static_library': 1,
          'sources': ['<!@(node src-native/build.mjs --sources engine)'],
          'cflags': [
            '<@(handler_cflags)',
            # A user interrupt saves no vector state. memcpy and its kin in line, as `rep movsb`, because libc's use
            # vector registers.
            '-mgeneral-regs-only',
            '-minline-all-stringops',
          ],
          'cflags_cc': ['-fno-threadsafe-statics'],
        },
        {
          # The one part of what handlers reach that uses vector registers, behind a stub that saves them. The same test.
          'target_name': 'uintr_reduction',
          'type': 'static_library',
          'standalone_static_library': 1,
          'sources': ['<!@(node src-native/build.mjs --sources reduction)'],
          'cflags': [
            '<@(handler_cflags)',
            # No more registers than the stub saves: SSE2, which every x86-64 has.
            '-march=x86-64',
          ],
          'cflags_cc': ['-fno-threadsafe-statics'],
        },
        {
          'target_name': 'uintr',
          'dependencies': [
            'uintr_engine',
            'uintr_reduction',
            '<!(node -p "require(\'node-addon-api\').targets"):node_addon_api',
          ],
          'sources': ['<!@(node src-native/build.mjs --sources addon)'],
          'defines': [
            'NAPI_VERSION=8',
            # Where the environment ends an error cannot be thrown, and nobody is left to catch it; without this the
            # wrapper aborts the process.
            'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
            # GCC 11 and later call this function of GLIBCXX_3.4.29 from every std::vector; the older one does what a
            # program without exceptions can observe of it: it ends the process.
            '__throw_bad_array_new_length=__throw_bad_alloc',
          ],
          'cflags': ['-O2', '-ftls-model=initial-exec'],
          'ldflags': [
            # The handler may run until the thread ends, hence the code stays mapped until the process does.
            '-Wl,-z,nodelete',
            # Bound at load: binding a symbol at its first call would run the dynamic linker, which takes locks and uses
            # vector registers, wherever that call is.
            '-Wl,-z,relro,-z,now',
            '-Wl,-z,noexecstack',
            '-Wl,--as-needed',
          ],
        },
      ],
    }, {
      'targets': [{ 'target_name': 'uintr', 'type': 'none' }],
    }],
  ],
}
