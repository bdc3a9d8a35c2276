// What a world tells by itself, and the EventEmitter it does that with.
import { EventEmitter } from 'node:events';
import type { ChildExit } from './children.js';
import { Comm } from './comm.js';
import type { ExitCause } from './errors.js';

/** A rank that is gone. */
export interface PeerExit {
  /** Of the world. */
  rank: number;
  /** How: it closed its world, its process or thread ended without, or it vanished. */
  cause: ExitCause;
}

/** A rank that was gone and has come back. */
export interface PeerJoin {
  /** Of the world. */
  rank: number;
  /** Its process; 0 where that cannot be told (another PID namespace). */
  pid: number;
  /** How often it has come back. */
  incarnation: number;
}

/** What a world emits. It never emits 'error'. */
export interface WorldEvents {
  'peer-exit': [PeerExit];
  /** Only where ranks can come back; after the 'peer-exit' of its life before. */
  'peer-join': [PeerJoin];
  /** Only in the rank that called World.spawn. */
  'child-exit': [ChildExit];
}

/** A communicator that is an EventEmitter as well. */
export interface EmittingComm extends EventEmitter<WorldEvents> {}
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are put there below
export abstract class EmittingComm extends Comm {}

// JavaScript has one base class to give, so the methods of the other are borrowed; they need no constructor of their own.
for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(EventEmitter.prototype))) {
  if (name !== 'constructor' && typeof property.value === 'function') {
    Object.defineProperty(EmittingComm.prototype, name, property);
  }
}
