import { digestOfUser, type ForgottenList } from '../../src/domain/forgetting.js';

/** A list of forgotten users by the times at which users asked, as they are when it is looked at. */
export function forgottenAt(times: Readonly<Record<string, number>>): ForgottenList {
  return {
    find: (id) => (Object.hasOwn(times, id) ? times[id] : undefined),
    size: () => Object.keys(times).length,
    entries: () => Object.entries(times).map(([id, at]) => [digestOfUser(id), at] as const),
    latest: () => (Object.keys(times).length === 0 ? undefined : Math.max(...Object.values(times))),
  };
}
