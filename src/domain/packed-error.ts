import { type ErrorCode, ShortlistError } from './errors.js';
import { findPassingCode } from './source-access.js';

/** What of an error another thread can make the same one of: between threads an error loses its class. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** What the system called it, where another attempt may cure it. */
  readonly passingCode?: string;
  /** Only of a ShortlistError. */
  readonly shortlist?: {
    readonly code: ErrorCode;
    readonly summary: string;
    readonly problems: readonly string[];
  };
}

export function packError(error: unknown): PackedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = findPassingCode(error);
  const packed = { name, message, stack, ...(code !== undefined && { passingCode: code }) };
  if (!(error instanceof ShortlistError)) return packed;
  const { summary, problems } = error;
  return { ...packed, shortlist: { code: error.code, summary, problems } };
}

/** The error that was packed, with the stack that it had there. */
export function unpackError({ name, message, stack, passingCode: code, shortlist }: PackedError): Error {
  const cause = code === undefined ? undefined : Object.assign(new Error(message), { code });
  const error =
    shortlist === undefined
      ? Object.assign(new Error(message, { cause }), { name })
      : new ShortlistError(shortlist.code, shortlist.summary, { problems: shortlist.problems, cause });
  if (stack !== undefined) error.stack = stack;
  return error;
}
