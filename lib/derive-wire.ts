// What ranks tell each other to make communicators: JSON, small, and checked by whoever reads it.
import { isId } from './context.js';
import { type ExitCause, UintrError, type UintrErrorCode } from './errors.js';
import type { Group } from './group.js';

export type Kind = 'dup' | 'split';

/** What one rank asks for. */
export interface Wish {
  kind: Kind;
  /** Ranks with the same color come into the same group; null: into none. */
  color: number | null;
  key: number;
  /** For the communicator, if this rank becomes its rank 0. */
  id: number;
  /** How often the rank has come back. */
  life: number;
}

/** An error on its way to other ranks. */
export interface Failure {
  code: UintrErrorCode;
  message: string;
  /** Rank of the world. */
  peer?: number;
  cause?: ExitCause;
}

/** Why there will be no communicator. */
export interface Refusal {
  failure: Failure;
}

/** The group that a rank is in, as ranks of the world; none if it is empty. */
export interface Answer {
  id: number;
  members: number[];
  /** Of each. */
  lives: number[];
}

/** A message's share of a buffer that holds any wish or refusal, in bytes. */
export const WISH_BYTES = 4096;
const MESSAGE_CHARACTERS = 500;
// A number of four digits, one of ten, and their commas.
const MEMBER_BYTES = 16;

/** Holds any answer to a rank of a communicator of that size. */
export function answerBytes(size: number): number {
  return WISH_BYTES + size * MEMBER_BYTES;
}

export function encode(value: Wish | Answer | Refusal): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The wish of `rank` of the world. */
export function decodeWish(bytes: Uint8Array, rank: number): Wish | Refusal {
  const { kind, color, key, id, life, failure } = parse(bytes);
  if (failure !== undefined) return { failure: checkFailure(failure) };
  const good =
    (kind === 'dup' || kind === 'split') &&
    (color === null || Number.isInteger(color)) &&
    Number.isInteger(key) &&
    Number.isInteger(life) &&
    isId(id, rank);
  if (!good) throw garbage();
  return { kind, color: color as number | null, key: key as number, id, life: life as number };
}

/** The answer to a rank that is in `parent`. */
export function decodeAnswer(bytes: Uint8Array, parent: Group): Answer | Refusal {
  const { id, members, lives, failure } = parse(bytes);
  if (failure !== undefined) return { failure: checkFailure(failure) };
  if (!Array.isArray(members) || new Set(members).size !== members.length) throw garbage();
  if (members.some((rank) => !Number.isInteger(rank) || rank < 0 || parent.toGroup(rank) === undefined))
    throw garbage();
  if (!Array.isArray(lives) || lives.length !== members.length || !lives.every(Number.isInteger)) throw garbage();
  if (members.length > 0 && !(members.includes(parent.toWorld(parent.rank)) && isId(id, members[0]))) throw garbage();
  return { id: id as number, members, lives };
}

export function failureFrom({ code, message, peer, cause }: UintrError): Failure {
  return { code, message: message.slice(0, MESSAGE_CHARACTERS), peer, cause: cause as ExitCause };
}

/** The failure as the rank of `group` that was told it has to throw it. */
export function failed({ code, message, peer, cause }: Failure, group: Group): UintrError {
  return new UintrError(code, message, {
    rank: group.rank,
    peer: peer === undefined ? undefined : group.toGroup(peer),
    cause,
  });
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // No JSON.
  }
  throw garbage();
}

function checkFailure(value: unknown): Failure {
  const { code, message, peer, cause } = (value ?? {}) as Record<string, unknown>;
  const good =
    typeof code === 'string' &&
    code.startsWith('ERR_UINTR_') &&
    typeof message === 'string' &&
    (peer === undefined || Number.isInteger(peer));
  if (!good) throw garbage();
  return { code: code as UintrErrorCode, message, peer: peer as number | undefined, cause: cause as ExitCause };
}

function garbage(): UintrError {
  return new UintrError('ERR_UINTR_PROTOCOL', 'a rank wrote what no correct dup() or split() writes');
}
