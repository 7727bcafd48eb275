import t from 'tap';
import { encodeTensorFile, parseTensorFile, type TensorFile } from '../../src/bundle/tensor-file.js';
import { ALS } from '../../src/candidates/als.js';
import { ONNX_ENCODER } from '../../src/candidates/onnx-encoder.js';
import type { RuleEntry } from '../../src/config/rule-config.js';
import { openBundle } from '../../src/engine/open-engine.js';
import { openRules } from '../../src/engine/open-rules.js';
import { arrange } from '../../src/pipeline/arrange.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { letterFacts, MOMENT } from '../support/slate-world.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir());
const { contents, engine } = await openBundle(folder, SCENARIOS);
t.teardown(() => engine.ranker.close());

const RULES: RuleEntry[] = [{ diversity: { strength: 0.5, by: 'vectors' } }];
const scenarios = new Map([['home', { ...SCENARIOS.get('home')!, rules: RULES }]]);

/** What is shown of the first ten items, ranked in their order. */
function show(bundle: typeof contents): number[] {
  const { rules, problems } = openRules(bundle, engine.catalogue, { scenarios });
  t.same(problems, []);
  const items = Int32Array.from({ length: 10 }, (_, item) => item);
  const query = { limit: 10, shown: [], moment: MOMENT, rules: rules.get('home')! };
  return [
    ...arrange(
      Float32Array.from(items, (item) => -item),
      { items },
      { query },
    ).rows,
  ];
}

t.test('an imported encoder gives the vectors where there is no als', async (t) => {
  const factors = parseTensorFile(contents.files.get(ALS.file)!, 'als').tensors.get('factors')!;
  const known = Int32Array.from({ length: 60 }, (_, item) => item);
  const file: TensorFile = {
    tensors: new Map([
      ['vectors', factors],
      ['items', { shape: [60], data: known }],
    ]),
    metadata: {},
  };
  const sources = {
    als: { skipped: 'for a test' },
    'onnx-encoder': { file: ONNX_ENCODER.file, model: ONNX_ENCODER.model },
  };
  const encoded = {
    ...contents,
    manifest: { ...contents.manifest, sources },
    files: new Map([[ONNX_ENCODER.file, encodeTensorFile(file)]]),
  };
  const shown = show(encoded);
  t.same(shown, show(contents), 'the same vectors give the same order');
  t.notSame(shown, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

t.test('what rules lack is said by each', async (t) => {
  const context = { timeZone: 'UTC', fields: [{ name: 'hour', type: 'hour' as const }] };
  const facts = { ...letterFacts('AB'), context };
  const bare = { ...facts, catalogue: { ...facts.catalogue, attributes: [] } };
  const cases: [rule: RuleEntry, problem: RegExp][] = [
    [
      { fresh: { halfLifeDays: 3, strength: 1 } },
      /rule fresh: the items view of the bundle has no age_log_days/,
    ],
    [
      { diversity: { strength: 1, by: 'attributes' } },
      /rule diversity: no attribute of the items has a vocabulary/,
    ],
    [{ cap: { attribute: 'brand', most: 1, in: 2 } }, /rule cap: .* attribute brand; they have none/],
    [
      { hide: { items: ['a'], when: { context: ['hour:noon'] } } },
      /rule hide: when.context says hour:noon, and hour is a number/,
    ],
    [
      { boost: { strength: 1, items: ['a'], when: { context: ['device:tv'] } } },
      /rule boost: .* no such field of the context; it has hour/,
    ],
  ];
  for (const [rule, problem] of cases) t.match(bindRules([rule], bare).problems.join(), problem);
  t.same(bindRules(['exclude-seen'], bare).problems, []);
});

t.test('all that one rule lacks is said at once', async (t) => {
  const bare = { ...letterFacts('AB'), context: undefined };
  const { attributes } = bare.catalogue;
  const facts = { ...bare, catalogue: { ...bare.catalogue, attributes: [] } };
  t.ok(attributes.length > 0);
  const when = { context: ['device:tv', 'country:de'], filter: ['x:1', 'y:2'] };
  const context = ['device', 'country'].map(
    (name) => `when.context names ${name}, and the bundle has no such field of the context; it has none`,
  );
  const filters = ['x', 'y'].map((name) => `Cannot filter on '${name}'.`);
  const coded = ['brand', 'genres'].map(
    (name) => `the items have no categorical, multi-valued or boolean attribute ${name}; they have none`,
  );
  const times = ['released', 'ends'].map((name) => `the items have no attribute ${name}; they have none`);
  const cases: [rule: RuleEntry, faults: string[]][] = [
    [{ available: { from: 'released', until: 'ends' } }, times],
    [{ diversity: { strength: 1, by: 'attributes', attributes: ['brand', 'genres'] } }, coded],
    [{ pin: { item: 'a', position: 1, when } }, [...context, ...filters]],
    [{ hide: { items: ['a'], when } }, [...context, ...filters]],
    [{ boost: { strength: 1, when } }, [...context, ...filters]],
  ];
  for (const [rule, faults] of cases) {
    const name = Object.keys(rule)[0]!;
    const { problems } = bindRules([rule], facts);
    t.equal(problems.length, faults.length, name);
    for (const [index, fault] of faults.entries())
      t.ok(problems[index]?.startsWith(`rule ${name}: ${fault}`), problems.join());
  }
});
