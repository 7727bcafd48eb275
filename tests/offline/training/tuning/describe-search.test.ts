import t from 'tap';
import type { SearchSummary } from '../../../../src/offline/training/bundle/search-summary.js';
import {
  describeSearch,
  describeTrial,
  formatTime,
} from '../../../../src/offline/training/tuning/describe-search.js';

const config = { trial: 0, values: {}, ndcg: 0.3, difference: 0, standardError: 0 };
const best = {
  trial: 4,
  values: { 'ease.regularisation': 300 },
  ndcg: 0.32,
  difference: 0.02,
  standardError: 0.0045,
};
const record: SearchSummary = {
  protocol: 'chronological',
  k: 10,
  trials: 12,
  judged: { queries: 1500, users: 900 },
  config: { ndcg: 0.3 },
  errorsNeeded: 2.19,
  best,
  chosen: best,
};
const made =
  '12 trials, judged by 1,500 queries of 900 users inside the train part; the config as it is has nDCG@10 0.3000.';

t.test('a search says what was tried, what was chosen and why', async (t) => {
  t.equal(
    describeSearch(record),
    `${made} Trial 4 has 0.3200, +0.0200 ± 0.0045, which is more than the 2.2 standard errors that chance may make of so many: ease.regularisation 300.`,
  );
  t.equal(
    describeSearch({ ...record, chosen: config }),
    `${made} The best, trial 4, has 0.3200, +0.0200 ± 0.0045, which is not more than the 2.2 standard errors that chance may make of so many: the config stays as it is.`,
  );
  t.equal(
    describeSearch({ ...record, best: config, chosen: config }),
    `${made} No trial has more, so the config stays as it is.`,
  );
  t.match(
    describeSearch({ ...record, trials: 1, best: config, chosen: config }),
    /^1 trial, .* There was no other trial to compare it with, so it stays\.$/,
  );
});

t.test('a trial says what it changed and what that was worth', async (t) => {
  t.equal(describeTrial(config, 10), 'nDCG@10 0.3000');
  t.equal(describeTrial(best, 10), 'nDCG@10 0.3200, +0.0200 ± 0.0045: ease.regularisation 300');
});

t.test('time that is left is in seconds, then in minutes', async (t) => {
  t.equal(formatTime(95_400), '95 s');
  t.equal(formatTime(600_000), '10 min');
});
