import t from 'tap';
import type { EvaluationSummary } from '../../src/bundle/evaluation-summary.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import {
  checkGates,
  describeCheck,
  Gates,
  type Measured,
  type TryOutFigures,
} from '../../src/bundle/promotion-gates.js';
import { readConfigFile } from '../../src/config/read-config-file.js';
import { createSmallBundle } from './small-bundle.js';
import { sampleSummary } from './sample-summary.js';

const SHIPPED = readConfigFile(Gates, 'configs/gates.yaml');

function manifestOf(changes: Partial<EvaluationSummary> | undefined, dataset = 'films'): Manifest {
  const { manifest, files: contents } = createSmallBundle({
    metrics: changes === undefined ? {} : { ...sampleSummary(), ...changes },
  });
  const files = Object.fromEntries(
    [...contents].map(([name, { rows }]) => [name, { sha256: '', sizeBytes: 1000, rows }]),
  );
  return { ...manifest, files, dataset: { ...manifest.dataset, name: dataset } } as unknown as Manifest;
}

const FIGURES: TryOutFigures = { medianMs: 2, p99Ms: 5, degradedShare: 0 };

function against(current: Manifest | undefined, tried: Partial<TryOutFigures> = {}): Measured {
  return { current, tried: { candidate: { ...FIGURES, ...tried }, current: FIGURES } };
}

/** What failed, as it is told. */
function failuresOf(
  gates: Gates,
  candidate: Partial<EvaluationSummary> | undefined,
  production?: Manifest,
): string[] {
  return checkGates(manifestOf(candidate), gates, against(production))
    .filter(({ passed }) => !passed)
    .map(describeCheck);
}

t.test('the shipped gates let a sound bundle pass, the first one and one as good', async (t) => {
  t.same(failuresOf(SHIPPED, {}), []);
  t.same(failuresOf(SHIPPED, {}, manifestOf({})), []);
  t.equal(checkGates(manifestOf({}), SHIPPED, against(undefined)).length, 12);
});

t.test('a quick training is refused where full ones are asked for', async (t) => {
  const full = manifestOf({});
  const quick = { ...full, training: { ...full.training, profile: 'quick' } };
  const ask = (gates: Gates, manifest: Manifest): string[] =>
    checkGates(manifest, gates, against(undefined)).map(describeCheck);
  t.same(ask({ fullTraining: true }, full), ['fullTraining: 1, at least 1']);
  t.same(ask({ fullTraining: true }, quick), [
    'fullTraining: 0, not at least 1 (it was trained with --profile quick: run `shortlist train` without it)',
  ]);
  t.same(ask({}, quick), []);
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

t.test('the drop is relative to the current bundle', async (t) => {
  const production = manifestOf({ ndcg: { 'two-stage': 0.2 } });
  const at = (ndcg: number): string[] =>
    failuresOf({ maximumDrop: 0.1 }, { ndcg: { 'two-stage': ndcg } }, production);
  t.same(at(0.181), []);
  t.same(at(0.178), ['maximumDrop: 0.11, not at most 0.1']);
  t.same(failuresOf({ maximumDrop: 0 }, {}, manifestOf({ ndcg: { 'two-stage': 0 } })), []);
});

t.test('bundles are compared on one dataset, protocol and list length, on newer data too', async (t) => {
  const noteFor = (production: Manifest | undefined): string =>
    describeCheck(checkGates(manifestOf({}), { maximumDrop: 0 }, against(production))[0]!);
  t.equal(noteFor(undefined), 'maximumDrop: at most 0 (not compared: the channel points at nothing)');
  t.match(noteFor(manifestOf(undefined)), 'the current bundle was not evaluated');
  t.match(noteFor(manifestOf({}, 'books')), 'dataset films, of the current bundle books');
  t.match(
    noteFor(manifestOf({ protocol: 'random', k: 20 })),
    'protocol rolling, of the current bundle random; list length 10, of the current bundle 20',
  );
  const newer = manifestOf({ queries: { count: 9, fingerprint: 'other' } });
  t.equal(
    noteFor(newer),
    'maximumDrop: 0, at most 0 (on other queries than the current bundle was evaluated on)',
  );
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
    describeCheck(checkGates(manifest, { minimumIndexRecall: 0.95 }, against(undefined))[0]!);
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

t.test('what clients may use of the current bundle must not be gone', async (t) => {
  const current = manifestOf({});
  const tell = (candidate: Manifest): string =>
    describeCheck(checkGates(candidate, { schemaCompatible: true }, against(current))[0]!);
  t.equal(tell(current), 'schemaCompatible: 0, at most 0');
  const { als: _als, ...sources } = current.sources;
  const [title, genres] = current.catalogue.attributes;
  const attributes = [
    { ...title!, shown: false },
    { ...genres!, role: 'categorical' as const },
  ];
  const online = { ...current.views.users, online: 'redis' as const };
  const lacking: Manifest = {
    ...current,
    sources: { ...sources, als: { skipped: 'no interactions' } },
    catalogue: { ...current.catalogue, attributes },
  };
  t.equal(
    tell(lacking),
    'schemaCompatible: 4, not at most 0 (the current bundle has more: source als, filterable multi-valued attribute genres, ' +
      'shown text attribute title, shown multi-valued attribute genres)',
  );
  const fields = [{ name: 'device', type: 'categorical' as const, values: ['tv'] }];
  const context = { file: 'c', timeZone: 'UTC', fields };
  const more = { ...current, context, views: { ...current.views, users: online } };
  const check = checkGates(current, { schemaCompatible: true }, against(more))[0]!;
  t.match(check, { passed: false, note: /: categorical context field device, online view users$/ });
  t.ok(checkGates(more, { schemaCompatible: true }, against(undefined))[0]!.passed);
});

t.test('a bundle must not be too large, nor far smaller than the current one', async (t) => {
  const current = manifestOf({});
  const halved = (part: 'items' | 'users' | 'interactions'): Manifest => ({
    ...current,
    dataset: { ...current.dataset, [part]: 1 },
    files: Object.fromEntries(
      Object.entries(current.files).map(([name, { rows: _rows, ...file }]) => [name, file]),
    ),
  });
  const tell = (candidate: Manifest, gates: Gates): string =>
    describeCheck(checkGates(candidate, gates, against(current))[0]!);
  t.match(tell(current, { maximumMegabytes: 0.001 }), /^maximumMegabytes: 0\.\d+, not at most 0\.001$/);
  t.match(tell(current, { maximumMegabytes: 1 }), /, at most 1$/);
  const gates = { minimumSizeShare: 0.9 };
  t.equal(tell(current, gates), 'minimumSizeShare: 1, at least 0.9 (3 items, of the current bundle 3)');
  for (const [part, share] of [
    ['items', '0.3333, not at least 0.9 (1 items'],
    ['users', '0.5, not at least 0.9 (1 users'],
    ['interactions', '0.3333, not at least 0.9 (1 interactions'],
  ] as const) {
    t.match(tell(halved(part), gates), `minimumSizeShare: ${share}`);
  }
  const empty = { ...current, files: {} };
  t.match(tell(empty, gates), /minimumSizeShare: 0, not at least 0.9 \(0 bytes/);
  t.ok(checkGates(current, gates, against(empty))[0]!.passed, 'nothing is more than nothing');
  t.match(checkGates(current, gates, against(undefined)), [{ passed: true, note: /points at nothing/ }]);
});

t.test('no gate that ships asks for milliseconds of the machine that promotes', async (t) => {
  const slow = { medianMs: 60_000, p99Ms: 60_000, degradedShare: 0 };
  const manifest = manifestOf({});
  const asked = checkGates(manifest, SHIPPED, {
    current: manifest,
    tried: { candidate: slow, current: slow },
  });
  t.same(
    asked.filter(({ passed }) => !passed),
    [],
  );
  t.ok(asked.some(({ gate }) => gate === 'maximumLatencyRatio'));
});

t.test('a bundle must answer nearly as fast as the current one, in time, and in full', async (t) => {
  const tell = (gates: Gates, tried: Partial<TryOutFigures>): string =>
    describeCheck(checkGates(manifestOf({}), gates, against(manifestOf({}), tried))[0]!);
  t.equal(
    tell({ maximumLatencyRatio: 2 }, { medianMs: 5 }),
    'maximumLatencyRatio: 2.5, not at most 2 (median 5.00 ms, of the current bundle 2.00 ms)',
  );
  t.match(tell({ maximumLatencyRatio: 2 }, { medianMs: 4 }), /^maximumLatencyRatio: 2, at most 2 /);
  t.equal(tell({ maximumP99Ms: 4 }, {}), 'maximumP99Ms: 5, not at most 4');
  t.equal(
    tell({ maximumDegradedShare: 0 }, { degradedShare: 0.5 }),
    'maximumDegradedShare: 0.5, not at most 0',
  );
  const alone = {
    current: undefined,
    tried: { candidate: FIGURES, current: 'the channel points at nothing' },
  };
  t.match(checkGates(manifestOf({}), { maximumLatencyRatio: 2 }, alone), [
    { passed: true, note: 'not compared: the channel points at nothing' },
  ]);
});
