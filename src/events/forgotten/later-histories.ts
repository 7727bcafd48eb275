import type { HistoryEvent } from '../../domain/event.js';
import { type ForgottenUsers, isForgotten } from '../../domain/forgetting.js';
import type { LiveHistories } from '../live-histories.js';

/**
 * Leaves out of live histories what is of before their user asked to be forgotten: an event that was on its way into the store meanwhile is there. What a session of
 * such a user did before is left out of their answers too.
 */
export function keepLaterHistories(histories: LiveHistories, forgotten: ForgottenUsers): LiveHistories {
  return {
    find: (subject) => {
      const found = histories.find(subject);
      const at = subject.userId === undefined ? undefined : forgotten.find(subject.userId);
      if (at === undefined) return found;
      const keepLater = (events: readonly HistoryEvent[]): readonly HistoryEvent[] =>
        events.filter(({ time }) => !isForgotten(time, at));
      return found instanceof Promise ? found.then(keepLater) : keepLater(found);
    },
  };
}
