import { ShortlistError } from '../../domain/errors.js';
import { showValue } from '../../config/show-value.js';
import { MOST_BYTES } from '../../overrides/parse-overrides.js';
import type { IfMatch } from '../../overrides/override-store.js';
import type { OverridesReport } from '../../serving/overriding/overrides-admin.js';
import { NO_USERS } from '../access/user-binding.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { describeBodyLimit } from '../problem.js';
import {
  OVERRIDES_EXAMPLES,
  OverridesAnswer,
  OverridesBody,
  OverridesHeaders,
} from '../schemas/overrides.js';
import { NoQuery } from '../schemas/parameters.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

const ETAG = {
  etag: { type: 'string', description: 'The version in quotation marks, for `If-Match`.' },
};

/** Adds `GET /overrides` and `PUT /overrides`: the document of overrides. The log says who changed it, and why. */
export function addOverridesRoutes(app: HttpApp, parts: AdminParts): void {
  addReading(app, parts);
  addReplacing(app, parts);
}

function addReading(app: HttpApp, { overridesAdmin }: AdminParts): void {
  const schema = {
    operationId: 'readOverrides',
    tags: ['overrides'],
    summary: 'Read the overrides',
    description: 'What is in force in this server, and what there is to know of it.',
    querystring: NoQuery,
    response: {
      200: describeSuccess(OverridesAnswer, OVERRIDES_EXAMPLES, ETAG),
      ...describeProblems(READING_PROBLEMS, '/overrides'),
    },
  };
  app.get('/overrides', { schema }, async (_request, reply) => {
    const report = await overridesAdmin.read();
    return reply.headers(headersOf(report)).send(toAnswer(report));
  });
}

function addReplacing(app: HttpApp, { overridesAdmin, logger }: AdminParts): void {
  const schema = {
    operationId: 'replaceOverrides',
    tags: ['overrides'],
    summary: 'Replace the overrides',
    description:
      'The document takes the place of the one that is there, whole or not at all; a wrong one changes nothing. The header `If-Match` must have the `ETag` of the document that was changed, so that nobody undoes what somebody else did meanwhile; `*` is any.',
    headers: OverridesHeaders,
    querystring: NoQuery,
    body: OverridesBody,
    response: {
      200: describeSuccess(OverridesAnswer, OVERRIDES_EXAMPLES, ETAG),
      ...describeProblems(REPLACING_PROBLEMS, '/overrides'),
    },
  };
  // Document and header are judged here: all problems are told at once, with what to do.
  const options = {
    schema,
    bodyLimit: MOST_BYTES,
    attachValidation: true,
    config: { usersOf: NO_USERS, takesAnyKey: true },
  } as const;
  app.put('/overrides', options, async (request, reply) => {
    const { validationError } = request;
    if (validationError?.validationContext === 'querystring') throw validationError;
    const ifMatch = parseIfMatch(request.headers['if-match']);
    // Validation is not asked of what has no body.
    if (request.body === undefined)
      throw new ShortlistError('INVALID_REQUEST', 'The body is missing: send the document as JSON.');
    const report = await overridesAdmin.replace(request.body, ifMatch);
    const { before, version: after, document } = report;
    const { why, overrides } = document;
    const facts = { requestId: request.id, client: request.principal?.name, why, before, after };
    logger.info({ ...facts, entries: overrides.length }, 'overrides replaced');
    return reply.headers(headersOf(report)).send(toAnswer(report));
  });
}

const headersOf = ({ version }: OverridesReport) => ({ etag: `"${version}"`, 'cache-control': 'no-store' });

function toAnswer({ version, document, warnings, ineffective, problems }: OverridesReport): OverridesAnswer {
  return {
    version,
    document: document as OverridesAnswer['document'],
    warnings: [...warnings],
    ineffective: [...ineffective],
    problems: [...problems],
  };
}

/** The versions that a header names; a weak one is no version. */
function parseIfMatch(header: string | undefined): IfMatch {
  if (header === undefined)
    throw new ShortlistError(
      'INVALID_REQUEST',
      'If-Match is missing: send the ETag of GET /overrides in it, or * for whatever is there.',
    );
  if (header.trim() === '*') return '*';
  const tags = header.split(',').map((tag) => /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(tag));
  if (tags.every((tag) => tag !== null))
    return tags.filter(([tag]) => !tag!.includes('W/')).map(([, version]) => version!);
  throw new ShortlistError(
    'INVALID_REQUEST',
    `If-Match is ${showValue(header)}, allowed is the ETag of GET /overrides, with its quotation marks, or *.`,
  );
}

const READING_PROBLEMS = {
  INVALID_REQUEST: '"dryRun" is not a query parameter; known are none',
  PROCESS_FAILED: 'A server process ended by itself.',
};

const REPLACING_PROBLEMS = {
  INVALID_REQUEST:
    'The overrides cannot be used, and those of before stay in force:\n  - the body: overrides.0.pin.position is 0, allowed is an integer from 1 to 600',
  OVERRIDES_CHANGED:
    'The overrides are of version "5b0f1c9ad1c04c1f8d3a7be64f6f6f0a" by now, and If-Match names "none". Read them (GET /overrides), make the change in what is there, and send that with its ETag. Nothing was changed.',
  PAYLOAD_TOO_LARGE: describeBodyLimit(MOST_BYTES),
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  NOT_READY: 'No bundle is open yet.',
  OVERRIDES_UNAVAILABLE:
    'The overrides cannot be changed now, and those of before stay in force: data/overrides.yaml cannot be written (EROFS).',
  PROCESS_FAILED: 'A server process ended by itself.',
};
