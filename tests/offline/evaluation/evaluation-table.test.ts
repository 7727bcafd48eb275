import t from 'tap';

import { renderEvaluationReport } from '../../../src/offline/evaluation/evaluation-report.js';
import { renderEvaluationTable } from '../../../src/offline/evaluation/evaluation-table.js';
import { sampleResult } from './sample-result.js';

t.test(
  'the table is aligned Markdown with what it was made of above and what follows from it below',
  async (t) => {
    const { rows, ...rest } = sampleResult();
    const table = renderEvaluationTable({ ...rest, rows: [rows[1]!, rows[4]!, rows[6]!] });
    t.equal(
      table,
      `films (1,234 users, 2,345 items, 53,556 interactions), protocol rolling: 4 windows from 2013-08-04, 3,711 queries, seed 42

| ranking   |    nDCG@10 ± se |    lift |    MAP |      P |      R |    MRR |     HR | coverage | popular |
| --------- | --------------: | ------: | -----: | -----: | -----: | -----: | -----: | -------: | ------: |
| popular   | 0.0679 ± 0.0011 | -50.5 % | 0.0448 | 0.0197 | 0.1086 | 0.0693 | 0.1630 |    1.7 % |  92.0 % |
| trending  | 0.1371 ± 0.0015 |  +0.0 % | 0.0905 | 0.0398 | 0.2194 | 0.1398 | 0.3290 |   18.3 % |  92.0 % |
| two-stage | 0.1652 ± 0.0017 | +20.5 % | 0.1090 | 0.0479 | 0.2643 | 0.1685 | 0.3965 |   18.3 % |  92.0 % |

- Best single source: trending, nDCG@10 0.1371.
- Two-stage over it: +20.5 %, difference +0.0281, 95 % interval +0.0231 to +0.0334.
- Ceiling: 231 candidates hold 61.2 % of the relevant items; a perfect ranker over them would reach nDCG@10 0.6910.

| source        | share of candidates | recall | found by it alone |
| ------------- | ------------------: | -----: | ----------------: |
| als           |              41.0 % | 34.4 % |             5.1 % |
| similar-items |              38.0 % | 29.7 % |             4.3 % |
| popular       |              22.0 % | 31.0 % |             1.2 % |
| trending      |              24.0 % | 45.2 % |            11.8 % |`,
    );
  },
);

t.test('sources that were skipped are named below, with the reason', async (t) => {
  const skippedSources = [{ name: 'ease', reason: 'it would take too long' }];
  t.match(
    renderEvaluationTable(sampleResult({ skippedSources })),
    /\n\n- Skipped: ease, it would take too long\.$/,
  );
  t.match(
    renderEvaluationReport(sampleResult({ skippedSources })),
    / Skipped: ease, it would take too long\./,
  );
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
