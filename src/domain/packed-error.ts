import { type ErrorCode, ShortlistError } from './errors.js';

/** What of an error another thread can make the same one of: between threads an error loses its class. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Only of a ShortlistError. */
  readonly shortlist?: {
    readonly code: ErrorCode;
    readonly summary: string;
    readonly problems: readonly string[];
  };
}

export function packError(error: unknown): PackedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof ShortlistError)) return { name, message, stack };
  const { code, summary, problems } = error;
  return { name, message, stack, shortlist: { code, summary, problems } };
}

/** The error that was packed, with the stack that it had there. */
export function unpackError({ name, message, stack, shortlist }: PackedError): Error {
  const error =
    shortlist === undefined
      ? Object.assign(new Error(message), { name })
      : new ShortlistError(shortlist.code, shortlist.summary, { problems: shortlist.problems });
  if (stack !== undefined) error.stack = stack;
  return error;
}
