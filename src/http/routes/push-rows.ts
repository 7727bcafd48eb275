import { NO_USERS } from '../access/user-binding.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { describeBodyLimit } from '../problem.js';
import { PUSH_EXAMPLES, PushAnswer, PushBody, PushParams } from '../schemas/pushed-rows.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

/** Adds `POST /views/:view/rows`: upserts rows of a view that is served online, an older event time never over a newer one. */
export function addPushRowsRoute(app: HttpApp, { pusher, settings }: AdminParts): void {
  app.addHook('onClose', () => pusher.close());
  const schema = {
    operationId: 'pushRows',
    tags: ['features'],
    summary: 'Upsert rows of a feature view',
    description:
      'An older event time never goes over a newer one. All rows are written or none, unless the store fails.',
    params: PushParams,
    body: PushBody,
    response: {
      200: describeSuccess(PushAnswer, PUSH_EXAMPLES),
      ...describeProblems(PUSH_PROBLEMS, '/views/users/rows'),
    },
  };
  const bodyLimit = settings.features.maxPushBytes;
  // Rows are of many users: whoever may write may write of all.
  const config = { scope: 'write', usersOf: NO_USERS } as const;
  app.post('/views/:view/rows', { schema, bodyLimit, config }, async (request, reply) => {
    const { view } = request.params;
    const answer: PushAnswer = { view, ...(await pusher.push(view, request.body.rows)) };
    return reply.header('cache-control', 'no-store').send(answer);
  });
}

const PUSH_PROBLEMS = {
  INVALID_REQUEST: 'The rows cannot be pushed:\n  - rows/0: values is not an object of fields',
  UNKNOWN_VIEW: "There is no feature view 'user'. Feature views: users.",
  VIEW_NOT_ONLINE: "The feature view 'users' is not served online.",
  PAYLOAD_TOO_LARGE: describeBodyLimit(1_048_576),
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  NOT_READY: 'No bundle is open yet.',
  FEATURES_FAILED: 'Redis cannot be reached.',
};
