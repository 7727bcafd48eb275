import { digestOfUser } from '../../domain/forgetting.js';
import { userIn } from '../access/user-binding.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { NoQuery } from '../schemas/parameters.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';
import { FORGET_EXAMPLES, ForgetAnswer, ForgetParams } from '../schemas/users.js';

/** Enough of a digest to find the line of the list that a line of the log is about. */
const SHOWN_DIGITS = 12;

/**
 * Adds `DELETE /users/:userId`: a 202 says that the user is unknown to answers from now on, wherever the list is read, and that events and online rows are
 * removed. The log says who asked, and the digest of the id.
 */
export function addUsersRoute(app: HttpApp, { forgetter, logger }: AdminParts): void {
  app.addHook('onClose', () => forgetter.close());
  const schema = {
    operationId: 'forgetUser',
    tags: ['users'],
    summary: 'Forget a user',
    description:
      'Answers treat the user as unknown at once. What files, backups and bundles still hold, and until when, docs/privacy.md says. Sending it again is safe.',
    params: ForgetParams,
    querystring: NoQuery,
    response: {
      202: describeSuccess(ForgetAnswer, FORGET_EXAMPLES),
      ...describeProblems(FORGET_PROBLEMS, '/users/42'),
    },
  };
  const config = { usersOf: userIn('params'), hidesUrl: true } as const;
  app.delete('/users/:userId', { schema, config }, async (request, reply) => {
    const { userId } = request.params;
    const { at, removed } = await forgetter.forget(userId);
    const digest = digestOfUser(userId).slice(0, SHOWN_DIGITS);
    const client = request.principal?.name;
    logger.info({ requestId: request.id, client, digest, ...removed }, 'a user is forgotten');
    const answer: ForgetAnswer = { forgottenAt: new Date(at * 1000).toISOString(), removed };
    return reply.code(202).header('cache-control', 'no-store').send(answer);
  });
}

const FORGET_PROBLEMS = {
  INVALID_REQUEST: 'userId is "", allowed is text of 1 to 256 characters, no control characters',
  FORGETTING_FAILED:
    'The user cannot be forgotten now: data/forgotten/forgotten.txt cannot be written to (ENOSPC).',
};
