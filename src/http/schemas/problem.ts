import { Type, type Static } from 'typebox';
import type { ErrorCode } from '../../domain/errors.js';

/** The codes that an answer of the public listener may carry; errors of any other code reach a client as INTERNAL. */
export const PUBLIC_CODES = [
  'INVALID_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'UNKNOWN_SCENARIO',
  'UNKNOWN_ATTRIBUTE',
  'UNKNOWN_CONTEXT',
  'ITEM_NOT_FOUND',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'URI_TOO_LONG',
  'RATE_LIMITED',
  'HEADERS_TOO_LARGE',
  'KEYS_UNAVAILABLE',
  'NOT_READY',
  'INTERNAL',
  'SOURCE_FAILED',
  'RANKER_FAILED',
  'RANKER_TIMEOUT',
  'DEADLINE_EXCEEDED',
  'OVERLOADED',
  'COMPUTE_FAILED',
  'RANKER_INVALID_OUTPUT',
] as const satisfies readonly ErrorCode[];

/** Every answer that is not a success (RFC 9457), of a listener whose answers may carry these codes. */
export function createProblemSchema(codes: readonly ErrorCode[]) {
  return Type.Object(
    {
      type: Type.String({ description: 'Names the kind of problem; one per code.' }),
      title: Type.String({ description: 'The kind of problem in words, the same for every occurrence.' }),
      status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
      code: Type.Unsafe<ErrorCode>(
        Type.Enum([...codes], { type: 'string', description: 'Stable: switch on this one.' }),
      ),
      detail: Type.String({ description: 'What is wrong this time, for a person.' }),
      instance: Type.String({ description: 'The path that was asked for.' }),
      requestId: Type.String({ description: 'As in the header `x-request-id`.' }),
    },
    {
      $id: 'Problem',
      additionalProperties: false,
      description: 'What went wrong, as application/problem+json.',
    },
  );
}

/** The problems of the public listener. */
export const Problem = createProblemSchema(PUBLIC_CODES);

export type Problem = Static<typeof Problem>;
