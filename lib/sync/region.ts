// Memory that processes and threads share for the primitives of uintr/sync, and how they find it.
import { binding, failed, type NativeFailure, type NativeRegion } from '../binding.js';
import { invalidArgument, UintrError, type UintrErrorCode } from '../errors.js';

const PAGE = 4096;
const DEFAULT_BYTES = 64 * 1024;
const MAX_BYTES = 2 ** 31;

/** This thread's open regions, by identity: one memory may be open several times. */
const here = new Map<string, Set<WeakRef<SharedRegion>>>();
const collected = new FinalizationRegistry<[string, WeakRef<SharedRegion>]>(([identity, ref]) => forget(identity, ref));

function forget(identity: string, ref: WeakRef<SharedRegion>): void {
  const regions = here.get(identity);
  regions?.delete(ref);
  if (regions?.size === 0) here.delete(identity);
}

/** @internal This thread's open regions of that memory. */
export function openHere(identity: string): SharedRegion[] {
  return [...(here.get(identity) ?? [])].flatMap((ref) => ref.deref() ?? []);
}

/** Something of a region that is told when it closes. */
export interface Closable {
  regionClosed(): void;
}

/** What makes it, of what the addon has. Whoever holds or awaits something by it needs the region to stay open. */
export type Make<T> = (native: never, region: SharedRegion, line: number) => T;

/**
 * Memory for the primitives of this module. Whoever has it open sees the same ones: a thread that is given `handle`, a
 * process that is given it too, or inherits a descriptor (`createFd`), or knows its name.
 *
 * Nothing in a region is freed by itself: the region is, when the last who has it open has closed it or ended. Make one for
 * things that end together. A `Mutex` needs 192 bytes of it, as do `SpinLock`, `AtomicCounter` and `Completion`; a ticket
 * lock 4.3 KB; a `PerCpuCounter` 64 per possible processor and 128.
 *
 * All who use a region are processes of one user, and trust each other with what it guards.
 */
export class SharedRegion {
  readonly #native: NativeRegion;
  readonly #objects = new Map<number, { kind: number; object: Closable }>();
  readonly #ref: WeakRef<SharedRegion>;
  #closed = false;

  /** @internal */
  readonly identity: string;
  /** @internal Opened for primitives that were opened by their handles, so that several do not each map it. */
  implicit = false;

  /** @internal */
  constructor(native: NativeRegion) {
    this.#native = native;
    this.#ref = new WeakRef(this);
    this.identity = native.handle.slice(native.handle.lastIndexOf(':') + 1);
    const regions = here.get(this.identity) ?? new Set();
    here.set(this.identity, regions.add(this.#ref));
    collected.register(this, [this.identity, this.#ref], this);
  }

  /**
   * A new one, of `byteLength` bytes (rounded up to whole pages of 4 KiB; default 64 KiB), all of which exist from now on.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_NO_MEMORY
   */
  static create(byteLength: number = DEFAULT_BYTES): SharedRegion {
    return opened(binding().createRegion(checkBytes(byteLength)));
  }

  /**
   * What `handle` names: that of a region which is open now, in this process or another one of this user.
   * @throws ERR_UINTR_INVALID_ARGUMENT: it is no handle, or its region is open there no longer (or the process is of another
   * PID namespace); ERR_UINTR_UNSUPPORTED: the kernel does not let this process look into the other; ERR_UINTR_NO_MEMORY
   */
  static open(handle: string): SharedRegion {
    if (typeof handle !== 'string') throw invalidArgument('handle', 'the handle of a SharedRegion', handle);
    return opened(binding().openRegion(handle));
  }

  /**
   * The region behind a descriptor that {@link createFd} made, and that this process has inherited or received. It stays
   * the caller's to close.
   * @throws ERR_UINTR_INVALID_ARGUMENT: it is no region's; ERR_UINTR_NO_MEMORY
   */
  static fromFd(fd: number): SharedRegion {
    if (!Number.isInteger(fd) || fd < 0 || fd > 2 ** 31 - 1) throw invalidArgument('fd', 'a file descriptor', fd);
    return opened(binding().regionOfFd(fd));
  }

  /**
   * The region of this name that some process of this user has open, or, where none has, a new one of `byteLength` bytes
   * (compare shm_open(3) with O_CREAT, but nothing is left in /dev/shm).
   *
   * Names are kept where those of worlds are, in `XDG_RUNTIME_DIR` or else the home directory.
   * @param name 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot
   * @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_UNSUPPORTED: no directory for names, or a process that may have the region
   * open cannot be looked into; ERR_UINTR_TIMEOUT: a process that is stopped has the name in its hands; ERR_UINTR_NO_MEMORY
   */
  static named(name: string, byteLength: number = DEFAULT_BYTES): SharedRegion {
    return opened(binding().namedRegion(checkName(name), checkBytes(byteLength)));
  }

  /** Its length, in bytes. */
  get byteLength(): number {
    return this.#native.byteLength;
  }

  /** What {@link open} needs: a string, to be passed by any way, good for as long as this object is open. */
  get handle(): string {
    this.checkOpen();
    return this.#native.handle;
  }

  /**
   * A descriptor of the memory, to be passed to child processes by `stdio`, or by SCM_RIGHTS. It is close-on-exec, and the
   * caller's to close.
   * @throws ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY: no descriptor is left
   */
  createFd(): number {
    this.checkOpen();
    return taken(this.#native.createFd());
  }

  /**
   * Lets go of it: what was made or opened here through this object fails with ERR_UINTR_CLOSED from now on. A lock that
   * this thread owns through it counts as one whose owner has died. Idempotent; garbage collection does the same.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    collected.unregister(this);
    forget(this.identity, this.#ref);
    for (const { object } of this.#objects.values()) object.regionClosed();
    this.#objects.clear();
    this.#native.close();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  get closed(): boolean {
    return this.#closed;
  }

  /** @internal */
  checkOpen(): void {
    if (this.#closed) throw regionClosed();
  }

  /** @internal Where the object of that name lies, which is made if there is none. */
  find(kind: number, name: string): number {
    this.checkOpen();
    return taken(this.#native.find(kind, name));
  }

  /** @internal What this thread has of the object at that line: made once, since it may have a queue. */
  object<T extends Closable>(kind: number, line: number, make: Make<T>): T | undefined {
    const known = this.#objects.get(line);
    if (known !== undefined) return known.kind === kind ? (known.object as T) : undefined;
    const native = this.#native.object(kind, line);
    if (native === undefined) return undefined;
    const object = make(native as never, this, line);
    this.#objects.set(line, { kind, object });
    return object;
  }

  /** @internal The same where it was made before. */
  known(line: number): Closable | undefined {
    return this.#objects.get(line)?.object;
  }
}

export function regionClosed(): UintrError {
  return new UintrError('ERR_UINTR_CLOSED', 'the region is closed');
}

export function failure({ code, message, errno, syscall }: NativeFailure): UintrError {
  return new UintrError(code as UintrErrorCode, message, { errno, syscall });
}

/** @throws what the failure says */
export function taken<T>(result: T | NativeFailure): T {
  if (failed(result)) throw failure(result);
  return result;
}

export function opened(result: NativeRegion | NativeFailure): SharedRegion {
  return new SharedRegion(taken(result));
}

export function checkName(name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw invalidArgument('name', '1 to 64 of A-Z a-z 0-9 . _ - that do not begin with a dot', name);
}

function checkBytes(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= PAGE && value <= MAX_BYTES) return value;
  throw invalidArgument('byteLength', `an integer from ${PAGE} to ${MAX_BYTES} (bytes)`, value);
}
