import t from 'tap';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import type { LiveHistory } from '../../src/domain/history.js';
import type { SlateItem } from '../../src/domain/slate.js';
import { NOBODY } from '../../src/domain/subject.js';
import { openEngine } from '../../src/engine/open-engine.js';
import type { Engine } from '../../src/pipeline/engine.js';
import type { Execution } from '../../src/pipeline/execution.js';
import { fallBack } from '../../src/pipeline/fall-back.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { Recommendation, RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { coldStart: _, ...home } = SCENARIOS.get('home')!;
const popular = SCENARIOS.get('popular')!;

/** Scenarios that retrieve less than the catalogue, so that most items are found by no source. */
const NARROW: readonly ScenarioConfig[] = [
  { ...home, name: 'ranked', maxCandidates: 12 },
  { ...home, name: 'fused', maxCandidates: 12, ranker: 'fusion' },
  { ...home, name: 'one-source', maxCandidates: 12, ranker: 'fusion', sources: { als: 12 } },
  { ...popular, name: 'popular-dozen', maxCandidates: 12, sources: { popular: 12 } },
  { ...home, name: 'ranked-one-source', maxCandidates: 12, sources: { 'similar-items': 12 } },
  { ...SCENARIOS.get('similar')!, name: 'alike', maxCandidates: 12 },
];

const { folder } = await writeSmallBundle(t.testdir());
const scenarios = new Map([
  ...SCENARIOS,
  ...NARROW.map((scenario): [string, ScenarioConfig] => [scenario.name, scenario]),
]);
const engine = await openEngine(folder, scenarios);
t.teardown(() => engine.ranker.close());

const ASKED: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'ranked',
  limit: 10,
  exclude: [],
  filters: [],
  explain: 'features',
};

function ask(
  changes: Partial<RecommendationRequest> = {},
  on: Engine = engine,
  execution: Execution = {},
): Promise<Recommendation> {
  return recommend({ ...ASKED, ...changes }, on, execution);
}

const idsOf = ({ slate }: Pick<Recommendation, 'slate'>): string[] => slate.items.map(({ itemId }) => itemId);
const ALL = engine.catalogue.entities.ids;
const SEEN = Array.from(engine.histories.find('u3').items, (item) => ALL[item]!);

/** All that an answer says of an item, but for its place. */
function describe({ itemId, score, attributes, features, sources }: SlateItem): object {
  return { itemId, score, attributes, features, sources };
}

t.test('what an item has in a full request it has among candidates, bit for bit', async (t) => {
  for (const { name: scenario, ranker } of NARROW) {
    for (const explain of ['features', 'sources'] as const) {
      for (const sessionItems of [undefined, ['i010', 'i011']]) {
        const whole = await ask({ scenario, explain, limit: 12, sessionItems });
        t.equal(whole.slate.items.length, 12, scenario);
        const known = new Map(whole.slate.items.map((item) => [item.itemId, describe(item)]));
        for (const named of [idsOf(whole), idsOf(whole).slice(3, 8).reverse(), [idsOf(whole)[11]!]]) {
          const part = await ask({ scenario, explain, limit: 12, sessionItems, candidates: named });
          t.same([...idsOf(part)].sort(), [...named].sort(), 'these and no others');
          t.strictSame(part.slate.dropped, []);
          for (const item of part.slate.items) t.strictSame(describe(item), known.get(item.itemId), scenario);
          t.strictSame(
            idsOf(part),
            idsOf(whole).filter((id) => named.includes(id)),
            'in the order of the full request',
          );
        }
        const [first] = whole.slate.items;
        if (explain === 'features' && ranker === 'bundle')
          t.ok(Object.keys(first!.features!).length > 20, 'there is something to compare');
      }
    }
  }
});

t.test('an item that no source found is ranked all the same, with rank 0 of each', async (t) => {
  const { retrievals } = (await ask()).candidates;
  const found = new Set(retrievals.flatMap(({ items }) => Array.from(items, (item) => ALL[item]!)));
  const others = ALL.filter((id) => !found.has(id) && !SEEN.includes(id)).slice(0, 8);
  t.equal(others.length, 8);
  const answer = await ask({ candidates: [...others, [...found][5]!] });
  t.equal(answer.slate.items.length, 9);
  for (const { itemId, features = {} } of answer.slate.items) {
    const ranks = Object.entries(features).filter(([name]) => name.endsWith('.reciprocal_rank'));
    t.ok(ranks.length > 3);
    const isFound = ranks.some(([, rank]) => rank > 0);
    if (others.includes(itemId)) {
      t.notOk(isFound, itemId);
      t.equal(features['fusion.score'], 0);
      t.equal(features['fusion.sources'], 0);
    } else {
      t.ok(isFound, 'control');
    }
  }
  const scores = new Set(answer.slate.items.map(({ score }) => score));
  t.ok(scores.size > 1, 'the ranker tells them apart');
  const { slate } = await ask({ candidates: others, explain: 'sources' });
  for (const { sources } of slate.items) t.strictSame(sources, []);
  // The only source has a score for what it did not retrieve, too.
  const alone = await ask({ scenario: 'popular-dozen', candidates: others, explain: 'none' });
  const popularity = engine.sources.get('popular')!;
  const { scoreOf } = await popularity.retrieve({
    userId: '',
    userIndex: undefined,
    history: engine.histories.find('nobody'),
    eligible: new Uint8Array(ALL.length).fill(1),
    limit: 1,
  });
  for (const { itemId, score } of alone.slate.items) t.equal(score, scoreOf(ALL.indexOf(itemId)));
  const ordered = alone.slate.items.map(({ score }) => score);
  t.strictSame(
    ordered,
    [...ordered].sort((a, b) => b - a),
  );
});

t.test('candidates that cannot be ranked are named, each once, in their order', async (t) => {
  const [seen] = SEEN;
  const [one, two, three] = idsOf(await ask());
  const { slate } = await ask({
    candidates: ['nothing', two!, seen!, one!, 'nothing', three!, two!, '__proto__', seen!],
    exclude: [three!],
  });
  t.strictSame(idsOf({ slate }), [one, two]);
  t.strictSame(slate.dropped, [
    { itemId: 'nothing', reason: 'unknown' },
    { itemId: seen, reason: 'ineligible' },
    { itemId: three, reason: 'ineligible' },
    { itemId: '__proto__', reason: 'unknown' },
  ]);
  const filtered = await ask({
    candidates: ALL.slice(0, 20),
    filters: [{ attribute: 'genres', value: 'news' }],
  });
  for (const { attributes } of filtered.slate.items) t.same(attributes['genres'], ['news']);
  t.equal(filtered.slate.items.length + filtered.slate.dropped!.length, 20);
  const shorter = await ask({ candidates: ALL, limit: 3 });
  t.equal(shorter.slate.items.length, 3, 'a limit is one');
  t.strictSame(
    shorter.slate.dropped!.map(({ itemId }) => itemId),
    ALL.filter((id) => SEEN.includes(id)),
    'what the limit left out was not dropped',
  );
  t.notOk('dropped' in (await ask()).slate);
});

t.test('where no candidate can be ranked the answer is empty, and no fault', async (t) => {
  for (const { name: scenario } of NARROW) {
    const { slate } = await ask({ scenario, candidates: ['nothing', ...ALL], exclude: [...ALL] });
    t.match(slate, { items: [], degraded: [] }, scenario);
    t.equal(slate.dropped!.length, ALL.length + 1);
  }
});

t.test('what the subject does not want is not ranked, whatever the rules of the scenario', async (t) => {
  const [wanted, unwanted] = idsOf(await ask({ scenario: 'popular-dozen' }));
  const live: LiveHistory = {
    items: Int32Array.of(ALL.indexOf(unwanted!)),
    timestamps: Float64Array.of(engine.knownUntil + 60),
    values: Float32Array.of(1),
    negative: Uint8Array.of(1),
  };
  const changes = { scenario: 'popular-dozen', candidates: [wanted!, unwanted!] };
  const { slate } = await ask(changes, engine, { prefetched: { live } });
  t.strictSame(idsOf({ slate }), [wanted]);
  t.strictSame(slate.dropped, [{ itemId: unwanted, reason: 'ineligible' }]);
  t.strictSame(idsOf(await ask(changes)), [wanted, unwanted], 'control');
});

t.test('the order in which candidates are named makes no difference to what is shown', async (t) => {
  for (const { name: scenario } of NARROW) {
    const [one, other] = [
      await ask({ scenario, candidates: ALL }),
      await ask({ scenario, candidates: [...ALL].reverse() }),
    ];
    t.strictSame(other.slate.items, one.slate.items, scenario);
    t.strictSame(other.slate.dropped!.toReversed(), one.slate.dropped);
  }
});

t.test('load cuts how many are retrieved, and no candidate that was named', async (t) => {
  const named = ALL.filter((id) => !SEEN.includes(id)).slice(0, 40);
  for (const { name: scenario } of NARROW) {
    const answer = await ask({ scenario, candidates: named, limit: 100 }, engine, { depth: 0.01 });
    t.strictSame([...idsOf(answer)].sort(), [...named].sort(), scenario);
  }
  const { candidates } = await ask({ limit: 2 }, engine, { depth: 0.01 });
  t.equal(candidates.items.length, 3, 'control: without candidates it does');
});

t.test('where a source or the ranker fails the candidates stay the same', async (t) => {
  const gone = new ShortlistError('SOURCE_FAILED', 'gone');
  const fail = (): never => {
    throw gone;
  };
  const named = ALL.filter((id) => !SEEN.includes(id)).slice(0, 20);
  const sources = new Map([...engine.sources, ['als', { name: 'als', retrieve: fail }] as const]);
  const withoutAls = await ask({ candidates: named, limit: 100 }, { ...engine, sources });
  t.strictSame(withoutAls.slate.degraded, [{ stage: 'candidates.als', reason: 'source_failed' }]);
  t.strictSame([...idsOf(withoutAls)].sort(), [...named].sort());
  const broken = {
    ...engine.ranker,
    rank: async () => Promise.reject(new ShortlistError('RANKER_FAILED', 'x')),
  };
  const withoutRanker = await ask({ candidates: named, limit: 100 }, { ...engine, ranker: broken });
  t.strictSame(withoutRanker.slate.degraded, [{ stage: 'ranking', reason: 'ranker_failed' }]);
  t.strictSame([...idsOf(withoutRanker)].sort(), [...named].sort());
});

t.test('the fallback of the whole pipeline ranks exactly these too, most popular first', async (t) => {
  const cause = new ShortlistError('COMPUTE_FAILED', 'no thread is left');
  const named = ALL.filter((id) => !SEEN.includes(id)).slice(20, 50);
  const request = {
    ...ASKED,
    candidates: ['nothing', SEEN[0]!, ...named],
    limit: 100,
    explain: 'none',
  } as const;
  const { slate } = await fallBack(request, engine, { cause });
  t.strictSame([...idsOf({ slate })].sort(), [...named].sort());
  t.strictSame(slate.dropped, [
    { itemId: 'nothing', reason: 'unknown' },
    { itemId: SEEN[0], reason: 'ineligible' },
  ]);
  const byPopularity = idsOf(await ask({ subject: NOBODY, scenario: 'popular', limit: 100 }));
  t.strictSame(
    idsOf({ slate }),
    byPopularity.filter((id) => named.includes(id)),
  );
  const none = await fallBack({ ...request, candidates: ['nothing'] }, engine, { cause });
  t.match(none.slate, { items: [], dropped: [{ itemId: 'nothing' }] });
  const few = await fallBack({ ...request, limit: 2 }, engine, { cause });
  t.equal(few.slate.items.length, 2);
});
