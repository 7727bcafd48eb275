import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenList } from '../../domain/forgetting.js';
import type { ForgettingMetrics } from '../../observability/metrics/forgetting-metrics.js';
import { openRedisForgottenUsers } from '../redis/redis-forgotten-users.js';
import type { ForgottenUserObserver, ForgottenUserStore } from './forgotten-user-store.js';
import { openLocalForgottenUsers } from './local-forgotten-users.js';

type ListSettings = Pick<Settings, 'forgotten' | 'events' | 'redis'>;

/**
 * The list of the settings, for a server: what is wrong with it is an error in the log, and another line when it is whole again. Answers go
 * on by what is known of it.
 * @param parts.clock Unix seconds
 */
export async function openForgottenUsers(
  settings: ListSettings,
  { logger, metrics, clock }: { logger: Logger; metrics: ForgettingMetrics; clock: () => number },
): Promise<ForgottenUserStore> {
  metrics.showForgottenListUp(true);
  const list = await open(settings, {
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
  // A list that is lost is told of, whether or not anybody asks for recommendations.
  const looking = setInterval(() => list.size(), LOOK_MS).unref();
  return {
    ...list,
    close: () => {
      clearInterval(looking);
      list.close();
    },
  };
}

const LOOK_MS = 5000;

/**
 * Runs a command with the list of the settings: one that is not whole is refused, since the command would keep what is to be left out. It is
 * looked at again whenever it is asked.
 * @throws ShortlistError FORGETTING_FAILED, as the methods of the list do
 */
export async function withForgottenUsers<T>(
  settings: ListSettings,
  run: (forgotten: ForgottenList) => Promise<T>,
): Promise<T> {
  let problem: string | undefined;
  const observer = {
    sized: () => undefined,
    changed: (changed: string | undefined) => void (problem = changed),
  };
  const list = await open(settings, { clock: neverAsked, observer });
  const whole = <Answer>(answer: Answer): Answer => {
    if (problem === undefined) return answer;
    throw new ShortlistError('FORGETTING_FAILED', `Nobody can tell who asked to be forgotten: ${problem}.`);
  };
  try {
    whole(list.size());
    return await run({
      find: (userId) => whole(list.find(userId)),
      size: () => whole(list.size()),
      entries: () => whole(list.entries()),
      latest: () => whole(list.latest()),
    });
  } finally {
    list.close();
  }
}

async function open(
  { forgotten: { store, folder }, events: { durability, syncTimeoutMs }, redis }: ListSettings,
  { clock, observer }: { clock: () => number; observer: ForgottenUserObserver },
): Promise<ForgottenUserStore> {
  if (store === 'local') return openLocalForgottenUsers({ folder, clock, observer });
  return openRedisForgottenUsers({ redis, durability, syncTimeoutMs, observer });
}

function neverAsked(): never {
  throw new Error('A command adds nobody to the list.');
}
