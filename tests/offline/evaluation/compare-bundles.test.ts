import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeBundleFiles, type ManifestDraft } from '../../../src/bundle/write-bundle-files.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { compareBundles } from '../../../src/offline/evaluation/compare-bundles.js';
import { renderComparison } from '../../../src/offline/evaluation/comparison-table.js';
import { encodeQueryFigures, QUERIES_FILE } from '../../../src/offline/evaluation/query-figures.js';
import type { EvaluationSummary } from '../../../src/bundle/evaluation-summary.js';
import { createSmallBundle } from '../../bundle/small-bundle.js';
import { sampleSummary } from '../../bundle/sample-summary.js';

const random = createSeededRandom(3);
const BASE = Array.from({ length: 120 }, () => random.uniform());
/** Two weeks of sixty users. */
const USERS = BASE.map((_, query) => query % 60);

interface Changes {
  readonly ndcg?: Record<string, number[]>;
  readonly queries?: string;
  readonly summary?: Partial<EvaluationSummary>;
  readonly manifest?: Partial<ManifestDraft>;
}

/** Writes an evaluated bundle and returns its folder. */
async function writeEvaluated(t: Test, name: string, changes: Changes = {}): Promise<string> {
  const folder = join(t.testdirName, name);
  const { ndcg = { als: BASE, 'two-stage': BASE }, queries: fingerprint = 'same' } = changes;
  const draft = createSmallBundle({ metrics: sampleSummary(changes.summary), ...changes.manifest });
  const split = USERS.map((_, query) => (query < 60 ? 'w1' : 'w2'));
  const bytes = encodeQueryFigures({ fingerprint, split, user: USERS, ndcg });
  await writeBundleFiles(folder, {
    ...draft,
    files: new Map([...draft.files, [QUERIES_FILE, { bytes, rows: BASE.length }]]),
  });
  return folder;
}

const better = BASE.map((value) => value + 0.02 + 0.02 * random.normal());

t.test('a bundle that is better on the same queries is said to be', async (t) => {
  t.testdir();
  const a = await writeEvaluated(t, 'a', {
    manifest: { training: { config: { als: { epochs: 8 } }, rows: 7 } },
  });
  const b = await writeEvaluated(t, 'b', {
    ndcg: { als: BASE, ease: BASE, 'two-stage': better },
    manifest: { training: { config: { als: { epochs: 16 }, seed: 1 }, rows: 9 }, gitCommit: 'fedcba9' },
  });
  const comparison = await compareBundles(a, b, { seed: 1 });
  t.match(comparison, {
    dataset: 'small',
    protocol: 'rolling',
    k: 10,
    queries: 120,
    users: 60,
    settings: [
      ['code', '0.1.0 0123abc', '0.1.0 fedcba9'],
      ['als.epochs', '8', '16'],
      ['seed', 'none', '1'],
    ],
  });
  t.same(
    comparison.rankings.map(({ name }) => name),
    ['als', 'two-stage'],
    'what only one of them evaluated is left out',
  );
  const [als, twoStage] = comparison.rankings;
  t.match(als, { difference: 0, low: 0, high: 0, pValue: 1 });
  t.ok(twoStage!.low > 0.01 && twoStage!.high < 0.03 && twoStage!.pValue < 0.001);
  const text = renderComparison(comparison);
  t.match(text, /^A \S+, B \S+: small, protocol rolling, 120 queries of 60 users\n/);
  t.match(text, /\| als +\| +0\.\d+ \| +0\.\d+ \| \+0\.0000 \|/);
  t.match(text, '- als.epochs: 8 in A, 16 in B');
  t.match(
    text,
    /Verdict: B is better than A in two-stage \(\+0\.0\d+ nDCG, interval \+0\.0.*, p = 0\.0001\)\.$/,
  );
  t.match(
    renderComparison(await compareBundles(b, a, { seed: 1 })),
    'Verdict: B is worse than A in two-stage',
  );
});

t.test('a difference that chance makes as often is none', async (t) => {
  t.testdir();
  const noisy = BASE.map((value) => value + 0.1 * random.normal());
  const a = await writeEvaluated(t, 'a', { ndcg: { 'two-stage': BASE.map(() => 0) } });
  const b = await writeEvaluated(t, 'b');
  const c = await writeEvaluated(t, 'c', { ndcg: { 'two-stage': noisy } });
  t.match(
    renderComparison(await compareBundles(b, c, { seed: 1 })),
    /A and B cannot be told apart in two-stage/,
  );
  t.match(
    renderComparison(await compareBundles(a, b, { seed: 1 })),
    /\| +– \| 0\.0001 \|/,
    'no lift over nothing',
  );
});

t.test('evaluations of other data, or that asked something else, are refused by name', async (t) => {
  t.testdir();
  const a = await writeEvaluated(t, 'a');
  const { manifest } = createSmallBundle();
  const other = await writeEvaluated(t, 'other', {
    summary: { protocol: 'random', k: 20 },
    manifest: { dataset: { ...manifest.dataset, name: 'large', fingerprint: 'beef' } },
  });
  await t.rejects(compareBundles(a, other, { seed: 1 }), {
    code: 'NOT_COMPARABLE',
    problems: [
      'dataset: small and large',
      'data: f00d and beef',
      'protocol: rolling and random',
      'list length: 10 and 20',
    ],
  });
  const asked = await writeEvaluated(t, 'asked', { queries: 'other' });
  await t.rejects(compareBundles(a, asked, { seed: 1 }), {
    code: 'NOT_COMPARABLE',
    problems: [/^queries: 120 and 120, not the same/],
  });
});

t.test('bundles that were not evaluated are refused, both at once', async (t) => {
  t.testdir();
  const [a, b] = [join(t.testdirName, 'a'), join(t.testdirName, 'b')];
  await writeBundleFiles(a, createSmallBundle());
  await writeBundleFiles(b, createSmallBundle({ metrics: sampleSummary() }));
  await t.rejects(compareBundles(a, b, { seed: 1 }), {
    code: 'NOT_COMPARABLE',
    problems: [`${a} was not evaluated: run \`shortlist evaluate\``, /b was not evaluated/],
  });
});

t.test('a bundle without a record of its training has no settings to differ in', async (t) => {
  t.testdir();
  const a = await writeEvaluated(t, 'a', { manifest: { training: {}, gitCommit: 'x' } });
  const b = await writeEvaluated(t, 'b', { manifest: { training: {}, gitCommit: 'x' } });
  t.same((await compareBundles(a, b, { seed: 1 })).settings, []);
});
