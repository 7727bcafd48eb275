import type { components } from './openapi.js';

type Problem = components['schemas']['Problem'];

/** The codes of docs/errors.md that an answer may have, and one for an answer that is not Shortlist's: a proxy's page, for one. */
export type ProblemCode = Problem['code'] | 'UNEXPECTED_ANSWER';

/** The server answered, and the answer is a problem: switch on `code`, show `message` to developers only. */
export class ShortlistProblem extends Error {
  override readonly name = 'ShortlistProblem';
  readonly code: ProblemCode;
  /** The HTTP status. */
  readonly status: number;
  /** What is wrong this time, for a person. */
  readonly detail: string;
  /** What to quote to those who run the server: their log has it. */
  readonly requestId: string | undefined;
  /** When to come back, where the server says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Pick<ShortlistProblem, 'code' | 'status' | 'detail'>, headers?: Headers) {
    super(`${problem.code} (${problem.status}): ${problem.detail}`);
    this.code = problem.code;
    this.status = problem.status;
    this.detail = problem.detail;
    this.requestId = headers?.get('x-request-id') ?? undefined;
    this.retryAfterSeconds = parseSeconds(headers?.get('retry-after'));
  }
}

/** The problem that an answer other than a success holds. @param body parsed, or text where it is not JSON */
export function toProblem(body: unknown, { status, headers }: Response): ShortlistProblem {
  if (isProblem(body)) return new ShortlistProblem({ ...body, status }, headers);
  const type = headers.get('content-type') ?? 'no content type';
  const detail = `The answer is not Shortlist's (${type}). Is baseUrl that of its public listener?`;
  return new ShortlistProblem({ code: 'UNEXPECTED_ANSWER', status, detail }, headers);
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const { code, detail } = body as Partial<Problem>;
  return typeof code === 'string' && typeof detail === 'string';
}

/** Dates, the other form that the header may have, are not what Shortlist sends. */
function parseSeconds(header: string | null | undefined): number | undefined {
  return header !== null && header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}
