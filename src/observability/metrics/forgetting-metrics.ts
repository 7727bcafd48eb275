import { Counter, Gauge, type Registry } from 'prom-client';

/** Users who ask to be forgotten, and the list of them. */
export interface ForgettingMetrics {
  /** Counts a user who was to be forgotten. */
  countForgetting(outcome: 'done' | 'failed'): void;
  /** Shows how many users are in the list. */
  showForgottenUsers(users: number): void;
  /** Shows whether all of the list can be read. */
  showForgottenListUp(up: boolean): void;
}

/** Creates the metrics of forgetting, registered with all of `registers`. */
export function createForgettingMetrics(registers: Registry[]): ForgettingMetrics {
  const forgettings = new Counter({
    name: 'shortlist_forgettings_total',
    help: 'Users who were to be forgotten: done, or failed, and then they are to be sent again.',
    labelNames: ['outcome'],
    registers,
  });
  const users = new Gauge({
    name: 'shortlist_forgotten_users',
    help: 'Users in the list of those who asked to be forgotten, as far as this process knows it.',
    registers,
  });
  const up = new Gauge({
    name: 'shortlist_forgotten_list_up',
    help: '1 while all of the list of forgotten users can be read, 0 while it is gone, damaged, or lacks users who were in it.',
    registers,
  });
  return {
    countForgetting: (outcome) => forgettings.inc({ outcome }),
    showForgottenUsers: (count) => users.set(count),
    showForgottenListUp: (isUp) => up.set(isUp ? 1 : 0),
  };
}
