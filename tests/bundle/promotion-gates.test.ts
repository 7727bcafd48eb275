import t from 'tap';
import type { EvaluationSummary } from '../../src/bundle/evaluation-summary.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import { checkGates, describeCheck, Gates } from '../../src/bundle/promotion-gates.js';
import { readConfigFile } from '../../src/config/read-config-file.js';
import { createSmallBundle } from './small-bundle.js';
import { sampleSummary } from './sample-summary.js';

const SHIPPED = readConfigFile(Gates, 'configs/gates.yaml');

function manifestOf(changes: Partial<EvaluationSummary> | undefined, dataset = 'films'): Manifest {
  const { manifest } = createSmallBundle({
    metrics: changes === undefined ? {} : { ...sampleSummary(), ...changes },
  });
  return { ...manifest, dataset: { ...manifest.dataset, name: dataset } } as unknown as Manifest;
}

/** What failed, as it is told. */
function failuresOf(
  gates: Gates,
  candidate: Partial<EvaluationSummary> | undefined,
  production?: Manifest,
): string[] {
  return checkGates(manifestOf(candidate), production, gates)
    .filter(({ passed }) => !passed)
    .map(describeCheck);
}

t.test('the shipped gates let a sound bundle pass, the first one and one as good', async (t) => {
  t.same(failuresOf(SHIPPED, {}), []);
  t.same(failuresOf(SHIPPED, {}, manifestOf({})), []);
  t.equal(checkGates(manifestOf({}), undefined, SHIPPED).length, 6);
});

t.test('each failed gate is told with its value and its threshold', async (t) => {
  const bad = {
    ndcg: { 'two-stage': 0.005, als: 0.1 },
    coverage: { 'two-stage': 0.001 },
    lift: -0.95,
    difference: { mean: -0.095, low: -0.1, high: -0.09 },
  };
  t.same(failuresOf(SHIPPED, bad, manifestOf({})), [
    'minimumNdcg: 0.005, not at least 0.01',
    'liftIntervalAboveZero: -0.1, not above 0',
    'minimumLift: -0.95, not at least 0',
    'minimumCoverage: 0.001, not at least 0.01',
    'maximumDrop: 0.9697, not at most 0.1',
  ]);
});

t.test(
  'a bundle that was not evaluated fails every gate that is set, and passes where none is',
  async (t) => {
    const failures = failuresOf(SHIPPED, undefined);
    t.equal(failures.length, 5);
    for (const failure of failures) t.match(failure, /not evaluated: run `shortlist evaluate`/);
    t.same(failuresOf({}, undefined), []);
    t.same(failuresOf({ liftIntervalAboveZero: false }, undefined), []);
  },
);

t.test('an interval that touches 0 does not exclude it', async (t) => {
  const gates = { liftIntervalAboveZero: true };
  t.same(failuresOf(gates, { difference: { mean: 0.01, low: 0, high: 0.02 } }), [
    'liftIntervalAboveZero: 0, not above 0',
  ]);
});

t.test('no single source to beat is no failure', async (t) => {
  t.same(failuresOf({ minimumLift: 0.5 }, { lift: null }), []);
});

t.test('the drop is relative to the bundle in production', async (t) => {
  const production = manifestOf({ ndcg: { 'two-stage': 0.2 } });
  const at = (ndcg: number): string[] =>
    failuresOf({ maximumDrop: 0.1 }, { ndcg: { 'two-stage': ndcg } }, production);
  t.same(at(0.181), []);
  t.same(at(0.178), ['maximumDrop: 0.11, not at most 0.1']);
  t.same(failuresOf({ maximumDrop: 0 }, {}, manifestOf({ ndcg: { 'two-stage': 0 } })), []);
});

t.test('bundles are compared on one dataset, protocol and list length, on newer data too', async (t) => {
  const noteFor = (production: Manifest | undefined): string =>
    describeCheck(checkGates(manifestOf({}), production, { maximumDrop: 0 })[0]!);
  t.equal(noteFor(undefined), 'maximumDrop: at most 0 (not compared: production serves nothing)');
  t.match(noteFor(manifestOf(undefined)), 'the bundle in production was not evaluated');
  t.match(noteFor(manifestOf({}, 'books')), 'dataset films, in production books');
  t.match(
    noteFor(manifestOf({ protocol: 'random', k: 20 })),
    'protocol rolling, in production random; list length 10, in production 20',
  );
  const newer = manifestOf({ queries: { count: 9, fingerprint: 'other' } });
  t.equal(noteFor(newer), 'maximumDrop: 0, at most 0 (on other queries than production was evaluated on)');
});

t.test('an index that misses too much of what an exact search finds does not pass', async (t) => {
  const withRecall = (mean: number): Manifest => {
    const manifest = manifestOf({});
    const index = {
      kind: 'hnsw',
      file: 'x',
      oversampling: 2,
      recall: { mean, items: 300, users: 200 },
    } as const;
    return { ...manifest, sources: { ...manifest.sources, als: { ...manifest.sources['als'], index } } };
  };
  const tell = (manifest: Manifest): string =>
    describeCheck(checkGates(manifest, undefined, { minimumIndexRecall: 0.95 })[0]!);
  t.equal(
    tell(withRecall(0.96)),
    'minimumIndexRecall: 0.96, at least 0.95 (hnsw, the best 300 of 200 users)',
  );
  t.equal(
    tell(withRecall(0.9)),
    'minimumIndexRecall: 0.9, not at least 0.95 (hnsw, the best 300 of 200 users)',
  );
  t.equal(tell(manifestOf(undefined)), 'minimumIndexRecall: at least 0.95 (its search is exact)');
});
