import t from 'tap';
import type { ShortlistError } from '../../src/domain/errors.js';
import { refuseFutureTimes } from '../../src/features/refuse-future-times.js';
import { KNOWN_UNTIL, tableOf } from '../support/feature-tables.js';
import { USERS } from '../support/redis-view.js';

const NOW = Date.UTC(2026, 0, 2) / 1000;
const DAY = 86_400;

function problemsOf(eventTimes: readonly number[]): readonly string[] {
  const view = { ...USERS, eventTime: 'seen' };
  const rows = eventTimes.map((_, row) => [`u${row}`, view.fields.map(() => undefined)] as const);
  try {
    refuseFutureTimes(tableOf(view, rows, { eventTimes }), NOW);
  } catch (error) {
    t.equal((error as ShortlistError).code, 'INVALID_BUNDLE');
    return (error as ShortlistError).problems;
  }
  return [];
}

t.test(
  'rows of more than a day after now are named, for no pushed row would be read until then',
  async (t) => {
    t.strictSame(problemsOf([KNOWN_UNTIL, NOW + DAY, NOW + DAY + 1, Date.UTC(2999, 0) / 1000]), [
      'u2: its event time is 2026-01-03T00:00:01.000Z',
      'u3: its event time is 2999-01-01T00:00:00.000Z',
    ]);
    t.equal(problemsOf(Array.from({ length: 25 }, () => NOW + 2 * DAY)).at(-1), '… and 15 more rows');
  },
);

t.test('rows of now and before, and none at all, are fine', async (t) => {
  t.strictSame(problemsOf([]), []);
  t.strictSame(problemsOf([NOW, 0, -5]), []);
});
