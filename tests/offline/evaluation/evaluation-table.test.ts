import t from 'tap';

import { renderEvaluationReport } from '../../../src/offline/evaluation/evaluation-report.js';
import {
  renderEvaluationTable,
  renderSegmentTables,
} from '../../../src/offline/evaluation/evaluation-table.js';
import { sampleResult } from './sample-result.js';

t.test(
  'the table is aligned Markdown with what it was made of above and what follows from it below',
  async (t) => {
    const { rows, ...rest } = sampleResult();
    const undivided = { ...rows[4]!, metrics: { ...rows[4]!.metrics, diversity: null } };
    const table = renderEvaluationTable({ ...rest, rows: [rows[1]!, undivided, rows[6]!] });
    t.equal(
      table,
      `films (1,234 users, 2,345 items, 53,556 interactions), protocol rolling: 4 windows from 2013-08-04, 3,711 queries, seed 42

| ranking   |    nDCG@10 ± se |    lift |    MAP |      P |      R |    MRR |     HR | coverage | popular | novelty | diversity |
| --------- | --------------: | ------: | -----: | -----: | -----: | -----: | -----: | -------: | ------: | ------: | --------: |
| popular   | 0.0679 ± 0.0011 | -50.5 % | 0.0448 | 0.0197 | 0.1086 | 0.0693 | 0.1630 |    1.7 % |  92.0 % |    7.31 |    73.1 % |
| trending  | 0.1371 ± 0.0015 |  +0.0 % | 0.0905 | 0.0398 | 0.2194 | 0.1398 | 0.3290 |   18.3 % |  92.0 % |    9.46 |         – |
| two-stage | 0.1652 ± 0.0017 | +20.5 % | 0.1090 | 0.0479 | 0.2643 | 0.1685 | 0.3965 |   18.3 % |  92.0 % |    9.46 |    73.1 % |

- Best single source: trending, nDCG@10 0.1371.
- Two-stage over it: +20.5 %, difference +0.0281, 95 % interval +0.0231 to +0.0334.
- Ceiling: 231 candidates hold 61.2 % of the relevant items; a perfect ranker over them would reach nDCG@10 0.6910.
- Rows that the ranker learned from: rolling.
- Ties in time: 0 of 7,422 test rows (0.0 %) have the time of a train row of their user.

| source        | share of candidates | recall | found by it alone |
| ------------- | ------------------: | -----: | ----------------: |
| als           |              41.0 % | 34.4 % |             5.1 % |
| similar-items |              38.0 % | 29.7 % |             4.3 % |
| popular       |              22.0 % | 31.0 % |             1.2 % |
| trending      |              24.0 % | 45.2 % |            11.8 % |

| feature group  | features | share of gain |
| -------------- | -------: | ------------: |
| retrieval      |        8 |        60.6 % |
| retrieval: als |        2 |        12.1 % |
| item           |        9 |        36.4 % |`,
    );
  },
);

t.test('sources that were skipped are named below, with the reason', async (t) => {
  const skippedSources = [{ name: 'ease', reason: 'it would take too long' }];
  t.match(
    renderEvaluationTable(sampleResult({ skippedSources })),
    /\n\n- Skipped: ease, it would take too long\.\n/,
  );
  t.match(
    renderEvaluationReport(sampleResult({ skippedSources })),
    / Skipped: ease, it would take too long\./,
  );
});

t.test('an ablation says beside the gain of each group what the lists are worth without it', async (t) => {
  const { ranker } = sampleResult();
  const result = sampleResult({
    ranker: { ...ranker, featureGroups: ranker.featureGroups.slice(2) },
    ablation: [
      {
        group: 'item',
        ndcg: { mean: 0.1602, standardError: 0.0017 },
        difference: -0.005,
        low: -0.0081,
        high: 0.0003,
        confidence: 0.95,
        samples: 1000,
      },
    ],
  });
  t.ok(
    renderEvaluationTable(result).endsWith(
      `| feature group | features | share of gain | nDCG@10 without it ± se | difference |      95 % interval |
| ------------- | -------: | ------------: | ----------------------: | ---------: | -----------------: |
| item          |        9 |        36.4 % |         0.1602 ± 0.0017 |    -0.0050 | -0.0081 to +0.0003 |`,
    ),
  );
  t.match(renderEvaluationReport(result), /trained without the group.*-0\.0081 to \+0\.0003/s);
});

t.test('an imported ranker has no groups of features to show', async (t) => {
  const { ranker } = sampleResult();
  const result = sampleResult({ ranker: { ...ranker, featureImportance: [], featureGroups: [] } });
  t.notMatch(renderEvaluationTable(result), 'feature group');
});

t.test('a single split is named', async (t) => {
  const [split] = sampleResult().splits;
  const table = renderEvaluationTable(
    sampleResult({ protocol: 'chronological', splits: [{ ...split!, label: 'chronological 75/25' }] }),
  );
  t.match(table, 'protocol chronological: chronological 75/25, 950 queries, seed 42');
});

t.test('a loss is shown as one', async (t) => {
  const { comparison } = sampleResult();
  const table = renderEvaluationTable(
    sampleResult({
      comparison: { ...comparison, lift: -0.04, difference: -0.0055, low: -0.009, high: 0.0012 },
    }),
  );
  t.match(table, 'Two-stage over it: -4.0 %, difference -0.0055, 95 % interval -0.0090 to +0.0012.');
});

t.test('where the best single source finds nothing there is no lift to show', async (t) => {
  const { rows, comparison } = sampleResult();
  const table = renderEvaluationTable(
    sampleResult({
      rows: rows.map((row) => ({ ...row, liftOverBestSingle: null })),
      comparison: { ...comparison, lift: null },
    }),
  );
  t.match(table, 'Two-stage over it: –, difference +0.0281');
  t.match(table, /\| two-stage +\| 0.1652 ± 0.0017 \| +– \|/);
});

t.test('the segments are a table each, with what the two rankings are worth in it', async (t) => {
  const { segmentations } = sampleResult();
  const tables = renderSegmentTables(sampleResult({ segmentations: segmentations.slice(1) }));
  t.equal(
    tables,
    `| items to find    | queries | two-stage nDCG@10 ± se | trending nDCG@10 ± se | difference |      95 % interval |
| ---------------- | ------: | ---------------------: | --------------------: | ---------: | -----------------: |
| well-known only  |   3,100 |        0.1810 ± 0.0024 |       0.1500 ± 0.0022 |    +0.0310 | +0.0238 to +0.0382 |
| new or rare only |     611 |        0.0120 ± 0.0014 |       0.0140 ± 0.0015 |    -0.0020 | -0.0182 to +0.0142 |

| user country | queries | two-stage nDCG@10 ± se | trending nDCG@10 ± se | difference |      95 % interval |
| ------------ | ------: | ---------------------: | --------------------: | ---------: | -----------------: |
| fr           |   2,000 |        0.1660 ± 0.0029 |       0.1380 ± 0.0026 |    +0.0280 | +0.0191 to +0.0369 |
| not known    |   1,711 |        0.1640 ± 0.0031 |       0.1360 ± 0.0028 |    +0.0280 | +0.0183 to +0.0377 |`,
  );
});

t.test('the recall of an index is told where one was used', async (t) => {
  const recall = { mean: 0.98765, items: 300, users: 200 };
  const index = { kind: 'hnsw', file: 'candidates/als.usearch', oversampling: 4, recall } as const;
  t.match(
    renderEvaluationTable({ ...sampleResult(), index }),
    '- Index of als: hnsw, recall@300 0.9877 against exact, of 200 users.',
  );
  t.notMatch(renderEvaluationTable(sampleResult()), 'Index of als');
});
