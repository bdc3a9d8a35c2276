// What works here, and why not what does not.
import { binding, type NativeSupport } from './binding.js';
import { loadNative } from './native.js';
import type { CopyKind } from './reports.js';

/** Whether something works; if not, the exact reason. */
export interface Verdict {
  ok: boolean;
  reason?: string;
}

/** What was found of user interrupts, as far as the probe came (SDM vol. 3, "User Interrupts"). */
export interface UserInterrupts {
  /** The processor has them: CPUID(7,0).EDX[5]. */
  cpu: boolean;
  /** The kernel has switched them on: CR4.UINTR, seen by executing `testui`. */
  enabled: boolean;
  /** Whose system calls answered, `uintr-next` or one of the RFC's; absent where no interrupt arrived. */
  abi?: string;
  /** It is the emulator that answers, not the processor. */
  emulated: boolean;
  /** What would make them work, where that is known. */
  remedy?: string;
}

/** What {@link support} tells. */
export interface Support {
  /** Operating system and processor, as `linux-x64`. */
  platform: string;
  /** The addon: without it nothing works. */
  native: Verdict;
  /** Ways in which ranks can interrupt each other. */
  drivers: Record<'uintr' | 'signal' | 'poll', Verdict>;
  userInterrupts: UserInterrupts;
  /**
   * Ways in which large messages can travel: `direct` only between threads of one process. `cma` is tried between two
   * processes that are started for it; whether it works towards a rank is known when there is one.
   */
  copies: Record<CopyKind, Verdict>;
  /**
   * Whether memory in flight is kept although its buffer was detached. Where it is not, detaching a buffer that a request
   * uses may crash the process.
   */
  holdsBackingStores: boolean;
}

/** What works on this host, tried rather than assumed. Never throws. */
export function support(): Support {
  const platform = `${process.platform}-${process.arch}`;
  const loaded = loadNative();
  if ('reason' in loaded) {
    const no = { ok: false, reason: loaded.reason };
    return {
      platform,
      native: no,
      drivers: { uintr: no, signal: no, poll: no },
      userInterrupts: { cpu: false, enabled: false, emulated: false },
      copies: { direct: no, heap: no, cma: no, pipeline: no },
      holdsBackingStores: false,
    };
  }
  const tried: NativeSupport = binding().support(process.env['UINTR_SIGNAL'] ?? '');
  return { platform, native: { ok: true }, ...tried };
}
