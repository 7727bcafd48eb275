import t, { type Test } from 'tap';

import { renderEvaluationReport } from '../../../src/offline/evaluation/evaluation-report.js';
import { sampleResult } from './sample-result.js';

/** The report's words, one space between them. */
function textOf(page: string): string {
  const body = page.slice(page.indexOf('<body>')).replace(/<[^>]*>/g, ' ');
  return body.replace(/\s+/g, ' ');
}

/** As `t.match`, without the whole page in the message. */
function assertShows(t: Test, page: string, text: string): void {
  t.ok(page.includes(text), text);
}

function countOf(page: string, pattern: RegExp): number {
  return [...page.matchAll(pattern)].length;
}

t.test('the report loads nothing and runs nothing', async (t) => {
  const page = renderEvaluationReport(sampleResult());
  t.same(page.match(/<script|<link|<img|<iframe|@import|url\((?!#)|javascript:| on\w+="/i), null);
  t.same(
    [...new Set(Array.from(page.matchAll(/https?:\/\/[^"'\s]+/g), ([address]) => address))].sort(),
    ['http://www.w3.org/1999/xlink', 'http://www.w3.org/2000/svg'],
    'only the names of XML vocabularies',
  );
});

t.test('every tag of the report is closed', async (t) => {
  const page = renderEvaluationReport(sampleResult());
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of page.matchAll(
    /<(\/?)([a-z][\w-]*)(?:"[^"]*"|[^>"])*?(\/?)>/gi,
  )) {
    if (selfClosing === '/' || name === 'meta') continue;
    if (closing === '') open.push(name!);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  t.same(open, []);
});

t.test('the headline says in words what the comparison found', async (t) => {
  const { comparison } = sampleResult();
  const headline = (changes: Partial<typeof comparison>): string =>
    /<h1>(.*?)<\/h1>/s.exec(
      renderEvaluationReport(sampleResult({ comparison: { ...comparison, ...changes } })),
    )![1]!;
  t.equal(headline({}), 'Two stages beat the best single source, trending, by 20.5 %');
  t.equal(
    headline({ lift: -0.04, difference: -0.005, low: -0.009, high: -0.001 }),
    'Two stages lose to one source alone, trending, by 4.0 %',
  );
  t.equal(
    headline({ lift: 0.01, difference: 0.001, low: -0.002, high: 0.004 }),
    'Two stages and the best single source, trending, cannot be told apart here',
  );
  t.equal(headline({ lift: null }), 'Two stages beat the best single source, trending');
});

t.test('each plot shows its rows, with their numbers beside it as text', async (t) => {
  const page = renderEvaluationReport(sampleResult());
  t.equal(countOf(page, /<svg /g), 10);
  const plots = Array.from(page.matchAll(/<svg [\s\S]*?<\/svg>/g), ([svg]) => svg);
  for (const name of ['random', 'popular', 'als', 'similar-items', 'trending', 'fusion', 'two-stage']) {
    assertShows(t, plots[0]!, `>${name}</text>`);
  }
  assertShows(t, plots[0]!, '>0.165</text>');
  assertShows(t, plots[1]!, '>2013-08-18</text>');
  assertShows(t, plots[2]!, '>92 %</text>');
  assertShows(t, plots[3]!, '>21–100 (1,640)</text>');
  assertShows(t, plots[4]!, '>well-known only (3,100)</text>');
  assertShows(t, plots[5]!, '>fr (2,000)</text>');
  assertShows(t, plots[6]!, '>together 61 %</text>');
  assertShows(t, plots[6]!, '>45 %</text>');
  assertShows(t, plots[7]!, '>trending.score</text>');
  t.notOk(plots[7]!.includes('>genre count</text>'), 'only the first twenty');
  assertShows(t, plots[8]!, '>retrieval: als</text>');
  assertShows(t, plots[8]!, '>12.1 %</text>');
  assertShows(t, plots[9]!, '>63 trees kept</text>');
  assertShows(t, textOf(page), 'fr 2,000 0.1660 ± 0.0029 0.1380 ± 0.0026 +0.0280 +0.0191 to +0.0369');
  assertShows(t, textOf(page), 'two-stage 18.3 % 92.0 % 9.46 73.1 %');
  assertShows(t, textOf(page), 'trending 24.0 % 45.2 % 11.8 %');
  assertShows(t, textOf(page), 'genre count');
  assertShows(t, textOf(page), 'retrieval 8 60.6 % retrieval: als 2 12.1 % item 9 36.4 %');
});

t.test('plots take their colours from the page, so that they suit light and dark', async (t) => {
  const page = renderEvaluationReport(sampleResult());
  const plots = Array.from(page.matchAll(/<svg [\s\S]*?<\/svg>/g), ([svg]) => svg).join('');
  const unseen =
    /<clipPath[\s\S]*?<\/clipPath>|fill="[^"]*" fill-opacity="0" stroke="[^"]*" stroke-width="0"|<path d="M0 5L14 5"[^>]* fill="#000"/g;
  const colours = new Set(
    Array.from(plots.replace(unseen, '').matchAll(/(?:fill|stroke)="([^"]*)"/g), ([, colour]) => colour!),
  );
  const fixed = [...colours].filter((colour) => !colour.startsWith('var(') && colour !== 'none');
  t.same(fixed, []);
  assertShows(t, page, 'prefers-color-scheme: dark');
  const variables = new Set(Array.from(plots.matchAll(/--[\w-]+/g), ([variable]) => variable));
  t.ok(variables.size > 4);
  for (const variable of variables) t.equal(countOf(page, new RegExp(`${variable}: #`, 'g')), 2, variable);
});

t.test('a whisker spans 1.96 standard errors to each side of the mean', async (t) => {
  const { rows } = sampleResult();
  const metrics = { ...rows[0]!.metrics, ndcg: { mean: 0.1, standardError: 0.01 } };
  const page = renderEvaluationReport(sampleResult({ rows: rows.map((row) => ({ ...row, metrics })) }));
  const plot = /<svg [\s\S]*?<\/svg>/.exec(page)![0];
  const ticks = Array.from(
    plot.matchAll(/translate\(([\d.]+) [\d.]+\)" fill="var\(--muted\)">([\d.]+)</g),
    (tick) => tick.slice(1).map(Number),
  );
  const [from, to] = [ticks[0]!, ticks.at(-1)!];
  const valueAt = (x: number): number => ((x - from[0]!) / (to[0]! - from[0]!)) * to[1]!;
  const whiskers = Array.from(plot.matchAll(/d="M([\d.]+) [\d.]+L([\d.]+) [\d.]+M/g), (whisker) =>
    whisker.slice(1).map((x) => valueAt(Number(x)).toFixed(3)),
  );
  t.same(
    whiskers,
    rows.map(() => ['0.080', '0.120']),
  );
});

t.test('only a report over several splits shows them over time', async (t) => {
  const { splits } = sampleResult();
  assertShows(t, renderEvaluationReport(sampleResult()), 'Does it hold over time?');
  const single = renderEvaluationReport(
    sampleResult({ protocol: 'chronological', splits: splits.slice(0, 1) }),
  );
  t.notOk(single.includes('Does it hold over time?'), 'Does it hold over time?');
  t.equal(countOf(single, /<svg /g), 9);
});

t.test('each protocol comes with its own caveat', async (t) => {
  const caveatOf = (protocol: 'rolling' | 'chronological' | 'random'): string =>
    textOf(renderEvaluationReport(sampleResult({ protocol })));
  assertShows(t, caveatOf('rolling'), 'This is the figure to decide by.');
  assertShows(t, caveatOf('chronological'), 'use this to compare, not to forecast');
  assertShows(t, caveatOf('random'), 'it cannot show what a ranker is worth in production');
});

t.test('names that look like markup are shown as text', async (t) => {
  const evil = '<script>alert("&")</script>';
  const { dataset, rows, ranker, candidates } = sampleResult();
  const page = renderEvaluationReport(
    sampleResult({
      dataset: { ...dataset, name: evil },
      command: evil,
      rows: rows.map((row, position) => (position === 0 ? { ...row, name: evil } : row)),
      ranker: { ...ranker, objective: evil, featureImportance: [{ feature: evil, gain: 1 }] },
      candidates: { ...candidates, sources: [{ ...candidates.sources[0]!, name: evil }] },
    }),
  );
  t.notOk(page.includes('<script'), '<script');
  t.ok(countOf(page, /&lt;script&gt;alert\(/g) >= 9);
});

t.test('a name that would push its plot aside is cut there, and whole in the numbers', async (t) => {
  const { ranker } = sampleResult();
  const long = 'feature_'.repeat(20);
  const page = renderEvaluationReport(
    sampleResult({ ranker: { ...ranker, featureImportance: [{ feature: long, gain: 1 }] } }),
  );
  t.match(/>((?:feature_)+\w*\.\.\.)<\/text>/.exec(page)?.[1], /^.{30,70}$/);
  assertShows(t, page, `<td>${long}</td>`);
});

t.test('the same result gives the same report', async (t) => {
  t.equal(renderEvaluationReport(sampleResult()), renderEvaluationReport(sampleResult()));
});

t.test('a ranker that split on nothing has a report too', async (t) => {
  const { ranker } = sampleResult();
  const page = renderEvaluationReport(
    sampleResult({
      ranker: {
        ...ranker,
        trees: 1,
        validationCurve: [0.1],
        featureImportance: [{ feature: 'age', gain: 0 }],
      },
    }),
  );
  assertShows(t, page, '>0.0 %</text>');
  t.notOk(page.includes('NaN'), 'NaN');
});

t.test('each plot of groups says in words where two-stage leads, and where it does not', async (t) => {
  const { segmentations } = sampleResult();
  const [byHistory] = segmentations;
  const losing = byHistory!.segments.map((segment, index) =>
    index === 0 ? { ...segment, low: -0.04, high: -0.01 } : { ...segment, low: 0.01, high: 0.04 },
  );
  const text = textOf(
    renderEvaluationReport(
      sampleResult({ segmentations: [{ ...byHistory!, segments: losing }, ...segmentations.slice(1)] }),
    ),
  );
  assertShows(t, text, 'Of 5 groups, two-stage is ahead in 4 and behind in 1 (0).');
  assertShows(t, text, 'Of 2 groups, two-stage is ahead in 1 and behind in none; 1 cannot be told apart.');
});
