import { type ErrorCode, ShortlistError } from './errors.js';
import { findPassingCode } from './dependency-access.js';
import { findSystemFault, type SystemFault } from './system-failure.js';

/**
 * A form of an error that survives structured cloning, so that another thread can make the same error again:
 * between threads an error loses its class.
 */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** What the operating system refused, where that is the reason. */
  readonly system?: SystemFault;
  /** What a network or a library called it, where another attempt may cure it. */
  readonly passingCode?: string;
  /** Only of a ShortlistError. */
  readonly shortlist?: {
    readonly code: ErrorCode;
    readonly summary: string;
    readonly problems: readonly string[];
  };
}

/** Packs an error, its class included, for another thread; anything else that was thrown becomes an Error. */
export function packError(error: unknown): PackedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = findPassingCode(error);
  const system = findSystemFault(error);
  const packed = {
    name,
    message,
    stack,
    ...(system !== undefined && { system }),
    ...(code !== undefined && { passingCode: code }),
  };
  if (!(error instanceof ShortlistError)) return packed;
  const { summary, problems } = error;
  return { ...packed, shortlist: { code: error.code, summary, problems } };
}

/** The error that was packed, with the stack that it had there. */
export function unpackError({
  name,
  message,
  stack,
  system,
  passingCode: code,
  shortlist,
}: PackedError): Error {
  const marks = { ...system, ...(code !== undefined && { code }) };
  const cause = 'code' in marks ? Object.assign(new Error(message), marks) : undefined;
  const error =
    shortlist === undefined
      ? Object.assign(new Error(message, { cause }), { name })
      : new ShortlistError(shortlist.code, shortlist.summary, { problems: shortlist.problems, cause });
  if (stack !== undefined) error.stack = stack;
  return error;
}
