import t from 'tap';
import type { RuleEntry } from '../../../src/config/rule-config.js';
import type { ScenarioConfig } from '../../../src/config/scenario-config.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { RetrievalQuery } from '../../../src/domain/candidate.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { openBundle } from '../../../src/engine/open-engine.js';
import { mergeRetrievals } from '../../../src/candidates/merge-candidates.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import { inspect } from '../../../src/pipeline/inspection/inspect.js';
import type {
  Inspection,
  InspectionRequest,
  ScenarioChanges,
  Verdict,
} from '../../../src/pipeline/inspection/inspection.js';
import { recommend } from '../../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { bindRules } from '../../../src/rules/bind-rules.js';
import { createRuleBook } from '../../../src/rules/rule-book.js';
import { inspectionOf } from '../../support/inspection.js';
import { requestOf } from '../../support/live-bundle.js';
import { SCENARIOS, writeWatchedBundle } from '../../support/trained-bundle.js';

const { folder } = await writeWatchedBundle(t.testdir());
const bundle = await openBundle(folder, SCENARIOS);
t.teardown(() => bundle.engine.ranker.close());
const { catalogue, users } = bundle.engine;
const itemIds = [...catalogue.entities.ids];

const HOME: ScenarioConfig = { ...SCENARIOS.get('home')!, maxCandidates: 25 };

/** The engine with a small `home` under these rules. */
function engineWith(rules: readonly RuleEntry[], changes: Partial<ScenarioConfig> = {}): Engine {
  const scenarios = new Map(SCENARIOS).set('home', { ...HOME, rules: [...rules], ...changes });
  const facts = { catalogue };
  const own = Array.from(
    scenarios,
    ([name, { rules: entries }]) => [name, bindRules(entries, facts).rules] as const,
  );
  return { ...bundle.engine, scenarios, rules: createRuleBook(new Map(own), facts) };
}

function ask(
  engine: Engine,
  changes: Partial<Omit<InspectionRequest, 'changes' | 'request'>> & {
    request?: Partial<RecommendationRequest>;
    changes?: Partial<ScenarioChanges>;
  } = {},
): Promise<Inspection> {
  const { request, changes: scenario, ...rest } = changes;
  const asked = inspectionOf(
    { ...requestOf({ userId: 'u3' }), ...request },
    { listsCandidates: true, ...rest },
  );
  return inspect({ ...asked, changes: { ...asked.changes, ...scenario } }, engine);
}

const SEEN: RuleEntry[] = ['exclude-seen'];

t.test('shows the slate that requests get, and all candidates in the order of ranking', async (t) => {
  const engine = engineWith(SEEN);
  const inspected = await ask(engine);
  const answer = await recommend(requestOf({ userId: 'u3' }), engine);
  t.same(
    inspected.slate.map(({ itemId, score }) => [itemId, score]),
    answer.slate.items.map(({ itemId, score }) => [itemId, score]),
  );
  t.equal(inspected.candidates!.length, answer.candidateCount);
  const scores = inspected.candidates!.map(({ score }) => score);
  t.same(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  t.same(
    inspected.candidates!.filter(({ shownAt }) => shownAt !== undefined).map(({ itemId }) => itemId),
    answer.slate.items.map(({ itemId }) => itemId),
  );
});

t.test('tells of history, rules and sources what a count by hand tells', async (t) => {
  const engine = engineWith([...SEEN, { hide: { items: itemIds.slice(0, 3) } }]);
  const { history, rules, sources, candidateCount } = await ask(engine);
  const own = engine.histories.find('u3');
  t.same(
    history.map(({ itemId, time, from }) => [itemId, time, from]),
    Array.from(own.items, (item, at) => [
      itemIds[item],
      new Date(1000 * own.timestamps[at]!).toISOString(),
      'bundle',
    ]),
  );
  const hidden = [0, 1, 2].filter((item) => !own.items.includes(item)).length;
  t.same(rules, [
    { name: 'exclude-seen', removed: own.items.length, left: itemIds.length - own.items.length },
    { name: 'hide', removed: hidden, left: itemIds.length - own.items.length - hidden },
  ]);
  const { candidates } = await recommend(requestOf({ userId: 'u3' }), engine);
  for (const [column, { source, items }] of candidates.retrievals.entries()) {
    const others = candidates.retrievals.filter((_, at) => at !== column);
    t.match(
      sources.find(({ name }) => name === source),
      {
        outcome: 'ok',
        found: items.length,
        alone: items.filter((item) => others.every((other) => !other.items.includes(item))).length,
        kept: items.filter((item) => candidates.items.includes(item)).length,
      },
      source,
    );
  }
  t.equal(candidateCount, 25);
});

/** What kept an item away, each obstacle tried by itself on the pipeline that answers. */
async function judge(itemId: string, request: RecommendationRequest, engine: Engine): Promise<Verdict> {
  const item = catalogue.entities.find(itemId);
  if (item < 0) return 'unknown_item';
  const open = engineWith([]);
  const isDropped = async (asked: Partial<RecommendationRequest>, by: Engine): Promise<boolean> => {
    const { slate } = await recommend(
      { ...request, exclude: [], filters: [], ...asked, candidates: [itemId] },
      by,
    );
    return slate.dropped!.some((dropped) => dropped.itemId === itemId);
  };
  if (await isDropped({}, engine)) return 'removed_by_rule';
  if (await isDropped({ filters: request.filters }, open)) return 'filtered';
  if (await isDropped({ exclude: request.exclude }, open)) return 'excluded';
  const answer = await recommend(request, engine);
  const { candidates } = answer;
  const isFound = candidates.retrievals.some(({ items }) => items.includes(item));
  if (!candidates.items.includes(item)) return isFound ? 'cut_in_merge' : 'not_found';
  if (answer.slate.items.some((shown) => shown.itemId === itemId)) return 'shown';
  const byRanking: Engine = {
    ...engine,
    rules: { ...engine.rules, get: (name) => ({ ...engine.rules.get(name)!, slate: [] }) },
  };
  const plain = await recommend(request, byRanking);
  return plain.slate.items.some((shown) => shown.itemId === itemId) ? 'moved_by_rule' : 'ranked_below';
}

t.test(
  'says of random items, users and requests what kept each away, as trying each obstacle does',
  async (t) => {
    const random = createSeededRandom(16);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random.uniform() * from.length)]!;
    const engines = [
      engineWith(SEEN),
      engineWith([...SEEN, { cap: { attribute: 'genres', most: 1, in: 3 } }]),
      engineWith([...SEEN, { boost: { items: itemIds.slice(0, 4), strength: 1 } }], { maxCandidates: 12 }),
      engineWith([{ hide: { items: itemIds.slice(10, 20) } }], {
        sources: { popular: 15, 'similar-items': 5 },
      }),
    ];
    const genres = catalogue.attributes.find(({ name }) => name === 'genres')!.coded!.vocabulary;
    const seen = new Map<Verdict, number>();
    for (let round = 0; round < 100; round++) {
      const request: RecommendationRequest = {
        ...requestOf({ userId: pick([...users.ids, 'nobody']) }),
        limit: 5,
        exclude: random.uniform() < 0.3 ? [pick(itemIds), pick(itemIds)] : [],
        filters: random.uniform() < 0.3 ? [{ attribute: 'genres', value: pick(genres) }] : [],
      };
      const engine = pick(engines);
      const about = [...new Set(Array.from({ length: 10 }, () => pick([...itemIds, 'no-such-item'])))];
      const { items } = await ask(engine, { request, about });
      for (const { itemId, verdict, detail } of items) {
        const right = await judge(itemId, request, engine);
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        if (verdict !== right) t.equal(verdict, right, `${itemId} for ${request.subject.userId!}: ${detail}`);
      }
    }
    t.comment(JSON.stringify([...seen]));
    t.equal(seen.size, 9, 'every verdict came up');
  },
);

t.test('names the place at which fusion cut an item, and the rank of one that no source found', async (t) => {
  const engine = engineWith(SEEN, { maxCandidates: 12, sources: { popular: 6, 'similar-items': 6 } });
  const { items } = await ask(engine, { about: itemIds.slice(0, 20), request: { limit: 3 } });
  const { candidates } = await recommend({ ...requestOf({ userId: 'u3' }), limit: 3 }, engine);
  const union = mergeRetrievals(candidates.retrievals, { limit: Number.POSITIVE_INFINITY, quotas: [6, 6] });
  for (const { itemId, verdict, detail } of items) {
    if (verdict === 'cut_in_merge')
      t.match(detail, `place ${union.items.indexOf(catalogue.entities.find(itemId)) + 1} of`);
  }
  const missing = items.filter(({ verdict }) => verdict === 'not_found');
  t.ok(missing.length > 0);
  for (const { itemId, sources } of missing) {
    const item = catalogue.entities.find(itemId);
    const popular = candidates.retrievals.find(({ source }) => source === 'popular')!;
    const own = engine.histories.find('u3').items;
    const better = itemIds.filter((_, other) => {
      if (own.includes(other)) return false;
      const [a, b] = [popular.scoreOf(other), popular.scoreOf(item)];
      return a > b || (a === b && other < item);
    });
    t.match(
      sources!.find(({ name }) => name === 'popular'),
      { rank: better.length + 1, found: 12 },
    );
  }
});

t.test('takes scores apart: baseline and contributions sum to the score, of 1,000 of them', async (t) => {
  const engine = engineWith(SEEN, { maxCandidates: 40 });
  let [count, worst] = [0, 0];
  for (const userId of users.ids.slice(0, 50)) {
    const request = { subject: { userId } };
    const { candidates } = await ask(engine, { request });
    const about = candidates!.map(({ itemId }) => itemId).slice(0, 20);
    const median = candidates![Math.floor(candidates!.length / 2)]!;
    for (const { contributions, score } of (await ask(engine, { request, about })).items) {
      const { baseline, groups } = contributions!;
      const sum = Object.values(groups).reduce((total, value) => total + value, baseline);
      worst = Math.max(worst, Math.abs(sum - score!), Math.abs(baseline - median.score));
      count++;
    }
  }
  t.ok(worst < 1e-6, `at most ${worst} beside it`);
  t.equal(count, 1000);
});

t.test(
  'names what the ranker read, with what training saw of it, and what the lead comes from',
  async (t) => {
    const engine = engineWith(SEEN);
    const about = (await ask(engine)).candidates!.map(({ itemId }) => itemId).slice(0, 20);
    const { items } = await ask(engine, { about });
    const { features, contributions } = items[0]!;
    t.same(Object.keys(features!), engine.assembler.featureOrder);
    const named = Object.values(features!);
    t.ok(named.flatMap((feature) => feature.typical ?? []).length > 10, 'training says what is typical');
    t.same(new Set(named.map(({ group }) => group)), new Set(Object.keys(contributions!.groups)));
    t.match(items.at(-1)!.detail, /has .+ more(, most of it from \w+)?\.$/);
  },
);

t.test(
  'answers what if: without sources and rules, with quotas, strengths and another history',
  async (t) => {
    const engine = engineWith([...SEEN, { diversity: { by: 'attributes', strength: 0.2 } }]);
    const plain = await ask(engine);
    const withoutAls = await ask(engine, { changes: { withoutSources: ['als'] } });
    t.notOk(withoutAls.sources.some(({ name }) => name === 'als'));
    const unruled = await ask(engine, { changes: { withoutRules: ['exclude-seen', 'diversity'] } });
    t.same([unruled.rules, unruled.moves], [[], []]);
    const few = await ask(engine, { changes: { quotas: { popular: 3 } } });
    t.match(
      few.sources.find(({ name }) => name === 'popular'),
      { quota: 3 },
    );
    const strong = await ask(engine, { changes: { strengths: { diversity: 5 } } });
    const none = await ask(engine, { changes: { strengths: { diversity: 0 } } });
    t.not(JSON.stringify(strong.slate), JSON.stringify(plain.slate));
    t.ok(none.slate.every(({ reasons }) => reasons.length === 0));
    t.same((await ask(engine)).slate, plain.slate, 'nothing of it stays');

    const own = plain.history.map(({ itemId, time, value }) => ({
      itemId,
      time: Date.parse(time) / 1000,
      value,
    }));
    const same = await ask(engine, { request: { history: own } });
    t.same(same.slate, plain.slate, 'the history of an answer, given back, is the same history');
    t.ok(same.history.every(({ from }) => from === 'request'));
    const less = await ask(engine, { request: { history: own.slice(0, -3) } });
    t.not(JSON.stringify(less.slate), JSON.stringify(plain.slate));
    const cold = await ask(engine, { request: { history: [] } });
    t.match(cold, { strategy: 'cold-start', answeredBy: HOME.coldStart ?? 'home', history: [] });
  },
);

t.test('refuses what the scenario does not have, all of it at once', async (t) => {
  const changes = {
    withoutSources: ['alss'],
    withoutRules: ['cap'],
    quotas: { nope: 3 },
    strengths: { cap: 2 },
  };
  await t.rejects(ask(engineWith(SEEN), { changes }), {
    code: 'INVALID_REQUEST',
    problems: [
      /without.sources has "alss"/,
      /without.rules has "cap"/,
      /quotas has "nope"/,
      /strengths has "cap"/,
    ],
  });
  const all = { withoutSources: Object.keys(HOME.sources) };
  await t.rejects(ask(engineWith(SEEN), { changes: all }), { code: 'INVALID_REQUEST' });
});

t.test(
  'explains a ranker that fails, a scenario without one, and a pipeline that fails as a whole',
  async (t) => {
    const engine = engineWith(SEEN);
    const failing = {
      ...engine,
      ranker: {
        ...engine.ranker,
        rank: () => Promise.reject(new ShortlistError('RANKER_FAILED', 'it is broken')),
      },
    };
    const about = [itemIds[0]!, itemIds[40]!];
    const byFusion = await ask(failing, { about });
    t.match(byFusion, { degraded: [{ stage: 'ranking' }], withoutContributions: /order of fusion/ });
    t.ok(byFusion.items.every(({ contributions, verdict }) => !contributions && verdict !== undefined));
    const popular = await ask(engine, { request: { scenario: 'popular', subject: {} }, about });
    t.match(popular, { withoutContributions: /has no ranker/, strategy: 'cold-start' });

    const away = () => Promise.reject(new ShortlistError('SOURCE_FAILED', 'away'));
    const sources = new Map(
      Array.from(engine.sources, ([name, source]) => [name, { ...source, retrieve: away }]),
    );
    const onlyOnce = { count: 0 };
    sources.set('popular', {
      ...engine.sources.get('popular')!,
      retrieve: (query: RetrievalQuery) =>
        onlyOnce.count++ === 0 ? away() : Promise.resolve(engine.sources.get('popular')!.retrieve(query)),
    } as never);
    const fallen = await ask({ ...engine, sources }, { about });
    t.match(fallen, { degraded: [{ stage: 'pipeline', reason: 'source_failed' }] });
    t.equal(fallen.slate.length, 10);
    t.equal(fallen.rules.length, 1, 'the rules of the run that answered, and no others');
  },
);

t.test('names the override that hides an item, or moves one, with its reason', async (t) => {
  const engine = engineWith(SEEN);
  const { slate } = await ask(engine);
  const [hidden, pinned] = [slate[0]!.itemId, slate.at(-1)!.itemId];
  const document = {
    overrides: [
      { hide: { items: [hidden] }, why: 'sold out' },
      { pin: { item: pinned, position: 1 }, why: 'the campaign of spring' },
    ],
  };
  const own = bindRules(SEEN, { catalogue }).rules;
  const overrides = { current: () => ({ version: '1', document }) };
  const rules = createRuleBook(
    new Map([...SCENARIOS.keys()].map((name) => [name, own])),
    { catalogue },
    overrides,
  );
  const { items } = await ask({ ...engine, rules }, { about: [hidden, pinned] });
  t.match(items, [
    { verdict: 'removed_by_rule', rule: 'hide', detail: /override 0: sold out/ },
    { verdict: 'shown', shownAt: 1, detail: /place 1 \(override 1: the campaign of spring\)/ },
  ]);
});

t.test('says since when an item is in the history, and by what', async (t) => {
  const engine = engineWith(SEEN);
  const given = [{ itemId: itemIds[3]!, time: 1_709_294_400 }];
  const { items } = await ask(engine, { about: [itemIds[3]!], request: { history: given } });
  t.match(items, [{ detail: /in the history since \d{4}-\d\d-\d\d, which the request gives/ }]);
});

t.test('a category has the name of its value, and no typical range', async (t) => {
  const engine = engineWith(SEEN);
  const about = (await ask(engine)).candidates!.slice(0, 1).map(({ itemId }) => itemId);
  const { features } = (await ask(engine, { about })).items[0]!;
  const { views } = engine.manifest;
  for (const view of Object.values(views)) {
    for (const { name, type, dictionary } of view.fields) {
      const feature = features![`${view.name === `${view.entity}s` ? view.entity : view.name}.${name}`];
      if (type !== 'category' || feature === undefined) continue;
      t.equal(feature.label, dictionary![feature.value]);
      t.equal(feature.typical, undefined);
    }
  }
  t.ok(Object.values(features!).every(({ label }) => label === undefined || typeof label === 'string'));
});
