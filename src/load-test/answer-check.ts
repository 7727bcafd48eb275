import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ShortlistError } from '../domain/errors.js';
import type { SeededRandom } from '../domain/seeded-random.js';
import type { Answer, Outcome, TransportFailure } from './generate-load.js';

/** Why a request failed: in transport, by its status, or by a body that is not what the target's own document promises. */
export type FailureKind = TransportFailure | 'status' | 'body';

/** The judgement of one request. */
export interface Verdict {
  readonly failure?: { readonly kind: FailureKind; readonly message: string };
  /** The answer succeeded and says that a stage fell back. */
  readonly degraded: boolean;
  /** The body was checked against the document. */
  readonly validated: boolean;
}

/** Says why an answer is not one that the OpenAPI document declares; empty for one that it declares. */
export type AnswerValidator = (answer: Answer, body: unknown) => string[];

/** The part of an OpenAPI 3.1 document that is read here. */
export interface OpenapiDocument {
  readonly paths: Readonly<Record<string, { readonly get?: { readonly responses: Responses } }>>;
}

type Responses = Readonly<
  Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>
>;

/**
 * Compiles the answers that an OpenAPI 3.1 document declares for GET of a route, as it writes it.
 * @throws ShortlistError LOAD_TEST_FAILED when it declares no such route
 */
export function createAnswerValidator(document: OpenapiDocument, route: string): AnswerValidator {
  const responses = document.paths[route]?.get?.responses;
  if (responses === undefined) {
    throw new ShortlistError(
      'LOAD_TEST_FAILED',
      `The OpenAPI document of the target declares no GET ${route}.`,
    );
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  ajv.addSchema(document, 'openapi');
  const compiled = new Map<string, ValidateFunction>();
  for (const [status, { content = {} }] of Object.entries(responses)) {
    for (const [mediaType, { schema }] of Object.entries(content)) {
      compiled.set(`${status} ${mediaType}`, ajv.compile(absolute(schema)));
    }
  }
  return ({ status, contentType }, body) => {
    const mediaType = contentType.split(';')[0]!;
    const validate = compiled.get(`${status} ${mediaType}`);
    if (validate === undefined) return [`${status} with ${mediaType || 'no content type'} is not declared`];
    return validate(body) ? [] : [ajv.errorsText(validate.errors, { dataVar: 'body' })];
  };
}

/** References of the document, as seen from a schema taken out of it. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components')) as object;
}

/**
 * Judges outcomes: a status other than 2xx, a body that is no JSON and, in a share of the answers, a body that the validator refuses
 * are failures like those of transport.
 */
export function createAnswerCheck(options: {
  validate: AnswerValidator;
  validateShare: number;
  random: SeededRandom;
}): (outcome: Outcome) => Verdict {
  const { validate, validateShare, random } = options;
  return ({ answer, failure }) => {
    if (answer === undefined) return { failure: failure!, degraded: false, validated: false };
    const { status } = answer;
    if (status < 200 || status > 299) return failed('status', `${status} ${answer.body.slice(0, 200)}`);
    const body = findJson(answer.body);
    if (body === undefined) return failed('body', `no JSON: ${answer.body.slice(0, 80)}`);
    const validated = random.uniform() < validateShare;
    const problems = validated ? validate(answer, body) : [];
    if (problems.length > 0) return failed('body', problems.join('; '), validated);
    return { degraded: isDegraded(body), validated };
  };
}

function failed(kind: FailureKind, message: string, validated = false): Verdict {
  return { failure: { kind, message }, degraded: false, validated };
}

function findJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDegraded(body: unknown): boolean {
  const { degraded } = Object(body) as { degraded?: unknown };
  return Array.isArray(degraded) && degraded.length > 0;
}
