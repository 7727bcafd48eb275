import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { compactImpressions } from '../../../../src/offline/feedback/impressions/compact-impressions.js';
import { compareImpressions } from '../../../../src/offline/feedback/impressions/compare-impressions.js';
import { renderImpressionComparison } from '../../../../src/offline/feedback/impressions/impression-comparison-table.js';
import { overlapOf, rankCorrelation } from '../../../../src/offline/protocol/list-agreement.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { createCommandRunner } from '../../../support/command-runner.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

t.test('overlap counts the same items among the first k', async (t) => {
  const [one, two] = [
    ['a', 'b', 'c', 'd'],
    ['b', 'a', 'x', 'y'],
  ];
  t.same(
    [1, 2, 3, 4].map((k) => overlapOf(one, two, { k })),
    [0, 1, 2 / 3, 0.5],
  );
  t.equal(overlapOf(['a'], ['a', 'b'], { k: 5 }), 0.5, 'a short list lacks the others');
});

t.test("Kendall's tau goes from −1 to 1 over what both have", async (t) => {
  t.equal(rankCorrelation(['a', 'b', 'c'], ['a', 'b', 'c']), 1);
  t.equal(rankCorrelation(['a', 'b', 'c'], ['c', 'b', 'a']), -1);
  t.equal(rankCorrelation(['a', 'b', 'c', 'd'], ['a', 'c', 'b', 'd']), 4 / 6);
  t.equal(rankCorrelation(['a', 'x', 'b'], ['b', 'a', 'y']), -1);
  t.equal(rankCorrelation(['a', 'x'], ['a', 'y']), undefined);
});

interface Given {
  bundle: string;
  user?: string;
  session?: string;
  items: string[];
  minute: number;
  cache?: string;
  milliseconds?: number;
  score?: number;
  release?: string;
  request?: string;
}

function line({
  bundle,
  user,
  session,
  items,
  minute,
  cache = 'miss',
  milliseconds = 10,
  score = 1,
  ...given
}: Given): string {
  return `${JSON.stringify({
    time: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    requestId: given.request ?? `${bundle} ${user ?? ''} ${minute}`,
    user,
    session,
    scenario: 'home',
    bundle,
    release: given.release,
    strategy: user === undefined ? 'cold-start' : 'personalised',
    degraded: minute === 9 ? [{ stage: 'ranking', reason: 'ranker_failed' }] : [],
    limit: 3,
    cache,
    milliseconds,
    items: items.map((id, index) => ({ id, position: index + 1, score: score - index / 10 })),
  })}\n`;
}

const LINES = [
  { bundle: 'A', user: 'u1', items: ['x', 'y', 'z'], minute: 1 },
  { bundle: 'A', user: 'u1', items: ['a', 'b', 'c'], minute: 2, milliseconds: 20 },
  { bundle: 'A', user: 'u1', items: ['a', 'b', 'c'], minute: 3, cache: 'hit', milliseconds: 0.1 },
  { bundle: 'A', user: 'u2', items: ['a', 'b', 'c'], minute: 9, milliseconds: 30 },
  { bundle: 'B', user: 'u1', items: ['b', 'a', 'd'], minute: 4, score: 2 },
  { bundle: 'B', user: 'u2', items: ['a', 'b', 'c'], minute: 5, score: 2 },
  { bundle: 'B', user: 'u3', items: ['q'], minute: 6 },
  { bundle: 'B', items: [], minute: 7 },
  { bundle: 'C', user: 'u9', items: ['a'], minute: 8 },
] satisfies Given[];

const folder = t.testdir({ log: {} });
const outDir = join(folder, "it's parquet");
mkdirSync(outDir);
writeFileSync(join(folder, 'log/20260101T000000000Z-00000001.jsonl'), LINES.map(line).join(''));
await compactImpressions(join(folder, 'log'), {
  outDir,
  abandonedBefore: 0,
  forgotten: NOBODY_FORGOTTEN,
  progress: SILENT_PROGRESS,
});

t.test('the latest slates of the users that both served are paired', async (t) => {
  const { served, pairs, pairedBy, pairedItems, agreements, rankCorrelation, scoreDifference } =
    await compareImpressions(outDir, ['A', 'B']);
  t.match(served[0], {
    bundle: 'A',
    slates: 4,
    users: 2,
    items: 6,
    medianMs: 20,
    degraded: 0.25,
    coldStart: 0,
    empty: 0,
  });
  t.match(served[1], { bundle: 'B', slates: 4, users: 3, items: 5, coldStart: 0.25, empty: 0.25 });
  t.equal(pairs, 2);
  t.equal(pairedBy, 'user');
  t.same(pairedItems, [3, 4, 3]);
  t.same(
    served.map(({ releases, coverage, p95Ms }) => [releases, coverage.toFixed(3), p95Ms]),
    [
      [['stable'], '0.750', 29],
      [['stable'], '0.625', 10],
    ],
  );
  t.same(
    agreements.map(({ k }) => k),
    [1, 3, 5, 10],
  );
  t.same(
    agreements.map(({ overlap }) => overlap.toFixed(4)),
    ['0.5000', '0.8333', '0.8333', '0.8333'],
  );
  t.equal(rankCorrelation, 0);
  t.ok(Math.abs(scoreDifference! - 1) < 1e-9);
});

t.test('visitors without a user are paired too, and are no users of the same ids', async (t) => {
  const dir = t.testdir({ log: {} });
  const lines: Given[] = [
    { bundle: 'A', session: 'v1', items: ['a', 'b'], minute: 1 },
    { bundle: 'B', session: 'v1', items: ['a', 'b'], minute: 2 },
    { bundle: 'A', user: 'u1', session: 'v2', items: ['a', 'b'], minute: 3 },
    { bundle: 'B', user: 'u1', session: 'v3', items: ['a', 'b'], minute: 4 },
    { bundle: 'A', session: 'x', items: ['a', 'b'], minute: 5 },
    { bundle: 'B', user: 'x', items: ['c', 'd'], minute: 6 },
  ];
  writeFileSync(join(dir, 'log/20260101T000000000Z-00000001.jsonl'), lines.map(line).join(''));
  const compacted = join(dir, 'parquet');
  await compactImpressions(join(dir, 'log'), {
    outDir: compacted,
    abandonedBefore: 0,
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });
  const { pairs, served, agreements } = await compareImpressions(compacted, ['A', 'B']);
  t.equal(pairs, 2);
  t.equal(agreements[0]!.overlap, 1);
  t.same(
    served.map(({ users }) => users),
    [3, 3],
  );
});

t.test('hidden files beside a log are no part of it', async (t) => {
  const hidden = join(outDir, '._log.parquet');
  writeFileSync(hidden, 'what macOS writes');
  t.teardown(() => rmSync(hidden));
  t.equal((await compareImpressions(outDir, ['A', 'B'])).pairs, 2);
});

t.test('the command prints it, and says what is not there', async (t) => {
  const run = createCommandRunner({ env: { SHORTLIST_REGISTRY: join(t.testdir(), 'models') } });
  const { code, out } = await run('compare', 'A', 'B', '--impressions', outDir);
  t.equal(code, 0);
  t.match(out, /slates .* 4 .* 4/);
  t.match(
    out,
    /Same users and visitors, latest slates \(2 pairs\):\n- the same items: @1 50\.0 %, @3 83\.3 %/,
  );
  t.match(await run('compare', 'A', 'C', '--impressions', outDir), {
    code: 0,
    out: /Nobody was served by both/,
  });
  t.match(await run('compare', 'A', 'D', '--impressions', outDir), {
    code: 1,
    errors: /NOT_COMPARABLE: The log has no slate of D; it has those of A, B, C/,
  });
  t.match(await run('compare', 'A', 'B', '--impressions', folder), {
    code: 1,
    errors: /INVALID_DATASET: .*impressions compact/,
  });
  t.match(await run('compare', 'staging', 'B', '--impressions', outDir), {
    code: 1,
    errors: /NOT_COMPARABLE: The log has no slate of staging/,
  });
});

t.test('pairs that share no two items have no order to compare', async (t) => {
  const comparison = await compareImpressions(outDir, ['A', 'B']);
  t.match(
    renderImpressionComparison({ ...comparison, rankCorrelation: undefined }),
    /no pair shares two items/,
  );
});

t.test('slates of the same request are paired where one bundle scored in shadow', async (t) => {
  const dir = t.testdir({ log: {}, parquet: {} });
  const lines = [
    { bundle: 'A', user: 'u1', items: ['a', 'b', 'c'], minute: 1, request: 'r1' },
    {
      bundle: 'B',
      user: 'u1',
      items: ['a', 'b', 'c'],
      minute: 2,
      request: 'r1',
      release: 'shadow',
      score: 3,
    },
    { bundle: 'A', user: 'u1', items: ['x', 'y', 'z'], minute: 3, request: 'r2' },
    {
      bundle: 'B',
      user: 'u1',
      items: ['x', 'z', 'y'],
      minute: 4,
      request: 'r2',
      release: 'shadow',
      score: 3,
    },
    // Sent again under the same id: one pair still.
    { bundle: 'A', user: 'u1', items: ['x', 'y', 'z'], minute: 5, request: 'r2', cache: 'hit' },
    // What B did as a canary, and whom nobody scored in shadow, makes no pair of a request.
    { bundle: 'B', user: 'u2', items: ['q'], minute: 6, request: 'r3', release: 'canary' },
    { bundle: 'A', user: 'u3', items: ['q'], minute: 7, request: 'r4' },
    { bundle: 'B', user: 'u4', items: ['q'], minute: 8, request: 'r4', release: 'shadow' },
  ];
  writeFileSync(join(dir, 'log/20260101T000000000Z-00000001.jsonl'), lines.map(line).join(''));
  const outDir = join(dir, 'parquet');
  await compactImpressions(join(dir, 'log'), {
    outDir,
    abandonedBefore: 0,
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });
  const comparison = await compareImpressions(outDir, ['A', 'B']);
  t.match(comparison, { pairedBy: 'request', pairs: 2, pairedItems: [6, 6, 6], scoreDifference: 2 });
  t.same(
    comparison.agreements.map(({ overlap }) => overlap),
    [1, 1, 1, 1],
  );
  t.ok(Math.abs(comparison.rankCorrelation! - (1 + 1 / 3) / 2) < 1e-9);
  t.same(
    comparison.served.map(({ releases }) => releases),
    [['stable'], ['canary', 'shadow']],
  );
  const text = renderImpressionComparison(comparison);
  t.match(text, /Same requests, one of the two in shadow \(2 pairs\):/);
  t.match(text, /different items: 6 of A and 6 of B, 6 of them in both/);
  t.match(text, /as +\| +stable +\| +canary, shadow/);
  const reversed = await compareImpressions(outDir, ['B', 'A']);
  t.match(reversed, { pairedBy: 'request', pairs: 2, scoreDifference: -2 });
});

t.test('files of before there was a column for it are of the bundle in service', async (t) => {
  const dir = t.testdir({ old: {}, both: {} });
  const { connection, close } = await openDatabase();
  const copy = (to: string) =>
    connection.run(
      `COPY (SELECT * EXCLUDE (release) FROM '${outDir.replaceAll("'", "''")}/*.parquet') TO '${join(dir, to)}' (FORMAT parquet)`,
    );
  await copy('old/impressions-1.parquet');
  await copy('both/impressions-1.parquet');
  await connection.run(
    `COPY (SELECT * REPLACE ('Z' AS bundle, 'canary' AS release) FROM '${outDir.replaceAll("'", "''")}/*.parquet' WHERE bundle = 'C') TO '${join(dir, 'both/impressions-2.parquet')}' (FORMAT parquet)`,
  );
  close();
  const now = await compareImpressions(outDir, ['A', 'B']);
  t.same(await compareImpressions(join(dir, 'old'), ['A', 'B']), now);
  t.same(await compareImpressions(join(dir, 'both'), ['A', 'B']), now);
  const { served } = await compareImpressions(join(dir, 'both'), ['A', 'Z']);
  t.same(
    served.map(({ releases }) => releases),
    [['stable'], ['canary']],
  );
});
