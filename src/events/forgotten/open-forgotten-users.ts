import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenList } from '../../domain/forgetting.js';
import type { ForgettingMetrics } from '../../observability/metrics/forgetting-metrics.js';
import type { ForgottenUserStore } from './forgotten-user-store.js';
import { openLocalForgottenUsers } from './local-forgotten-users.js';

/**
 * The list of the settings, for a server: what is wrong with it is an error in the log, and another line when it is whole again. Answers go
 * on by what is known of it.
 * @param parts.clock Unix seconds
 */
export function openForgottenUsers(
  { forgotten: { folder } }: Pick<Settings, 'forgotten'>,
  { logger, metrics, clock }: { logger: Logger; metrics: ForgettingMetrics; clock: () => number },
): ForgottenUserStore {
  metrics.showForgottenListUp(true);
  return openLocalForgottenUsers({
    folder,
    clock,
    observer: {
      sized: (users) => metrics.showForgottenUsers(users),
      changed: (problem) => {
        metrics.showForgottenListUp(problem === undefined);
        if (problem === undefined) logger.info('the list of forgotten users is whole again');
        else logger.error({ problem }, 'the list of forgotten users is not whole');
      },
    },
  });
}

/**
 * The list of the settings, for a command: one that is not whole is refused, since the command would keep what is to be left out. It is looked at again
 * whenever it is asked.
 * @throws ShortlistError FORGETTING_FAILED, as its methods do
 */
export function requireForgottenUsers({ forgotten: { folder } }: Pick<Settings, 'forgotten'>): ForgottenList {
  let problem: string | undefined;
  const list = openLocalForgottenUsers({
    folder,
    clock: neverAsked,
    observer: { sized: () => undefined, changed: (changed) => (problem = changed) },
  });
  const whole = <T>(answer: T): T => {
    if (problem === undefined) return answer;
    throw new ShortlistError('FORGETTING_FAILED', `Nobody can tell who asked to be forgotten: ${problem}.`);
  };
  return {
    find: (userId) => whole(list.find(userId)),
    size: () => whole(list.size()),
    entries: () => whole(list.entries()),
    latest: () => whole(list.latest()),
  };
}

function neverAsked(): never {
  throw new Error('A command adds nobody to the list.');
}
