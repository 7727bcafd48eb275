import { type ForgottenList, isForgotten } from './forgetting.js';

/** Leaves forgotten users out of a file that is written from start to end, while others may be forgotten. */
export interface LeavingOut {
  /** Whether what a user did, at Unix seconds, is left out; of nobody it never is. */
  readonly leavesOut: (userId: string | undefined, time: number) => boolean;
  /** How many were left out, and of whom. */
  readonly count: () => number;
  readonly users: () => readonly string[];
  /** Whether a user was forgotten after something of them was let through: the file has to be written again. */
  isOvertaken(): boolean;
}

/** Begins a file. Each user is looked up once. */
export function beginLeavingOut(forgotten: ForgottenList): LeavingOut {
  const asOf = forgotten.latest();
  const times = new Map<string, number | undefined>();
  const users = new Set<string>();
  let count = 0;

  function find(userId: string): number | undefined {
    if (!times.has(userId)) times.set(userId, forgotten.find(userId));
    return times.get(userId);
  }

  return {
    leavesOut: (userId, time) => {
      const at = userId === undefined ? undefined : find(userId);
      if (userId === undefined || at === undefined || !isForgotten(time, at)) return false;
      users.add(userId);
      count++;
      return true;
    },
    count: () => count,
    users: () => [...users],
    isOvertaken: () =>
      forgotten.latest() !== asOf && [...times].some(([userId, at]) => forgotten.find(userId) !== at),
  };
}
