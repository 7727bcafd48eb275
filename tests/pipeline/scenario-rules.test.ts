import t from 'tap';
import type { RuleEntry } from '../../src/config/rule-config.js';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { hashId } from '../../src/domain/id-table.js';
import { NOBODY } from '../../src/domain/subject.js';
import { createFallbackEngine } from '../../src/engine/create-fallback-engine.js';
import { openBundle } from '../../src/engine/open-engine.js';
import type { Engine } from '../../src/pipeline/engine.js';
import { fallBack } from '../../src/pipeline/fall-back.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { recommend } from '../../src/pipeline/recommend.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { createRuleBook } from '../../src/rules/rule-book.js';
import { retrieveOffline } from '../../src/offline/training/ranker/training-rows.js';
import { hydrateQuery } from '../../src/pipeline/hydrate-query.js';
import { requestOf } from '../support/live-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir());
const bundle = await openBundle(folder, SCENARIOS);
t.teardown(() => bundle.engine.ranker.close());
const { catalogue } = bundle.engine;

/** The shipped scenarios, `home` with few candidates and these rules. */
function scenariosWith(rules: readonly RuleEntry[], changes: Partial<ScenarioConfig> = {}) {
  const home = { ...SCENARIOS.get('home')!, maxCandidates: 30, rules: [...rules], ...changes };
  return new Map([...SCENARIOS, ['home', home]]);
}

/** The engine under other rules, which need no vectors. */
function engineWith(rules: readonly RuleEntry[], changes: Partial<ScenarioConfig> = {}): Engine {
  const scenarios = scenariosWith(rules, changes);
  const facts = { catalogue };
  const own = Array.from(
    scenarios,
    ([name, { rules: entries }]) => [name, bindRules(entries, facts).rules] as const,
  );
  return { ...bundle.engine, scenarios, rules: createRuleBook(new Map(own), facts) };
}

const PLAIN: RuleEntry[] = ['exclude-seen', 'exclude-requested', 'filter-attributes'];
const CAP: RuleEntry = { cap: { attribute: 'genres', most: 2, in: 4 } };

const REQUEST = requestOf({ userId: 'u3' });

async function ask(engine: Engine, changes: Partial<RecommendationRequest> = {}) {
  const answer = await recommend({ ...REQUEST, ...changes }, engine);
  const { items } = answer.slate;
  return {
    ...answer,
    items,
    ids: items.map(({ itemId }) => itemId),
    genres: items.map(({ attributes }) => String(attributes['genres'])),
  };
}

const cause = new ShortlistError('COMPUTE_FAILED', 'no thread is left');
const { ids: plain } = await ask(engineWith(PLAIN));

t.test('a hidden item is in no answer, and shortens none', async (t) => {
  const engine = engineWith([...PLAIN, { hide: { items: plain.slice(0, 3) } }]);
  const { ids } = await ask(engine);
  t.equal(ids.length, 10);
  for (const id of plain.slice(0, 3)) t.notOk(ids.includes(id), id);
  const named = await ask(engine, { candidates: plain.slice(0, 4) });
  t.same(named.ids, [plain[3]]);
  t.same(
    named.slate.dropped,
    plain.slice(0, 3).map((itemId) => ({ itemId, reason: 'ineligible' })),
  );
});

t.test('a pinned item need not be found: it is ranked with the others, and moves nothing else', async (t) => {
  const few = { maxCandidates: 12, sources: { popular: 12 } };
  const { candidates } = await ask(engineWith(PLAIN, few));
  const seen = bundle.engine.histories.find('u3').items;
  const absent = [...catalogue.entities.ids.keys()].find(
    (item) => !candidates.items.includes(item) && !seen.includes(item),
  )!;
  const item = catalogue.entities.idAt(absent);
  const unpinned = await ask(engineWith(PLAIN, few), { explain: 'features' });
  const { items } = await ask(engineWith([...PLAIN, { pin: { item, position: 2 } }], few), {
    explain: 'features',
  });
  t.equal(items[1]!.itemId, item);
  t.equal(Object.keys(items[1]!.features!).length, bundle.engine.assembler.featureOrder.length);
  t.ok(items.every(({ score }) => Number.isFinite(score)));
  const others = items.filter(({ itemId }) => itemId !== item);
  t.same(
    others.map(({ itemId, score, features }) => ({ itemId, score, features })),
    unpinned.items.slice(0, 9).map(({ itemId, score, features }) => ({ itemId, score, features })),
    'the same scores of the same features',
  );
});

t.test('a pin is left out where its item may not be shown, and the next best takes the place', async (t) => {
  const seen = catalogue.entities.idAt(bundle.engine.histories.find('u3').items[0]!);
  const item = plain[5]!;
  const pin = (id: string): RuleEntry => ({ pin: { item: id, position: 1 } });
  const cases: [name: string, rules: RuleEntry[], changes: Partial<RecommendationRequest>][] = [
    ['hidden', [...PLAIN, pin(item), { hide: { items: [item] } }], {}],
    ['seen, where the scenario excludes that', [...PLAIN, pin(seen)], {}],
    ['excluded by the client', [...PLAIN, pin(item)], { exclude: [item] }],
    ['shown by an earlier page', [...PLAIN, pin(item)], { shown: [hashId(item)] }],
    ['filtered out', [...PLAIN, pin(item)], { filters: [{ attribute: 'genres', value: 'opera' }] }],
    ['none of the named', [...PLAIN, pin(item)], { candidates: plain.slice(0, 2) }],
  ];
  for (const [name, rules, changes] of cases) {
    const { ids } = await ask(engineWith(rules), changes);
    const without = await ask(
      engineWith(rules.filter((rule) => typeof rule === 'string' || !('pin' in rule))),
      changes,
    );
    t.same(ids, without.ids, name);
  }
  const anyone = await ask(engineWith([pin(seen)]));
  t.equal(anyone.ids[0], seen, 'a pin of something seen stands where the scenario does not exclude it');
});

t.test('a list goes on over its pages: no item twice, caps and pins by its places', async (t) => {
  const item = (await ask(engineWith([...PLAIN, CAP]), { limit: 20 })).ids[15]!;
  const engine = engineWith([...PLAIN, CAP, { pin: { item, position: 7 } }]);
  const shown: string[] = [];
  const genres: string[] = [];
  for (let page = 0; page < 4; page++) {
    const answer = await ask(engine, { limit: 5, shown: shown.map(hashId) });
    t.same(
      answer.items.map(({ position }) => position),
      [1, 2, 3, 4, 5],
    );
    shown.push(...answer.ids);
    genres.push(...answer.genres);
  }
  t.equal(new Set(shown).size, 20);
  t.equal(shown[6], item);
  for (let at = 0; at + 4 <= genres.length; at++)
    t.ok(genres.slice(at, at + 4).filter((genre) => genre === 'sport').length === 2, genres.join(' '));
});

t.test('a pin has its place whatever the size of pages, and the first pin of an item counts', async (t) => {
  const { ids } = await ask(engineWith(PLAIN), { limit: 20 });
  const pins: RuleEntry[] = [
    { pin: { item: ids[0]!, position: 12 } },
    { pin: { item: ids[15]!, position: 7 } },
    { pin: { item: ids[15]!, position: 2 } },
  ];
  const engine = engineWith([...PLAIN, CAP, ...pins]);
  for (const limit of [3, 5, 6, 10, 20]) {
    const shown: string[] = [];
    while (shown.length < 20) shown.push(...(await ask(engine, { limit, shown: shown.map(hashId) })).ids);
    t.equal(shown.indexOf(ids[0]!), 11, `pages of ${limit}`);
    t.equal(shown.indexOf(ids[15]!), 6, `pages of ${limit}`);
    t.equal(new Set(shown).size, shown.length);
  }
});

t.test('where all candidates are of one kind, others are fetched so that the cap holds', async (t) => {
  const few = { maxCandidates: 4, sources: { 'similar-items': 4 } };
  const subject = { itemId: 'i002' };
  const alone = await ask(engineWith(PLAIN, few), { subject, limit: 4 });
  t.same(new Set(alone.genres), new Set(['sport']));
  const { genres, candidateCount, items } = await ask(engineWith([...PLAIN, CAP], few), {
    subject,
    limit: 4,
    explain: 'sources',
  });
  t.equal(genres.filter((genre) => genre === 'sport').length, 2, genres.join(' '));
  t.ok(candidateCount > 4);
  t.same(
    items.find(({ attributes }) => String(attributes['genres']) === 'news')!.sources,
    [],
    'no source found it',
  );
  const sport = { attribute: 'genres', value: 'sport' };
  const filtered = await ask(engineWith([...PLAIN, CAP], few), { subject, limit: 4, filters: [sport] });
  t.same(filtered.genres, ['sport', 'sport', 'sport', 'sport'], 'full where nothing else is eligible');
});

t.test('a cold start has the rules of the scenario that was asked for', async (t) => {
  const { ids: popular } = await ask(bundle.engine, { subject: NOBODY, scenario: 'popular' });
  const rules: RuleEntry[] = [
    CAP,
    { pin: { item: popular[9]!, position: 1 } },
    { hide: { items: [popular[0]!] } },
  ];
  const { slate, ids, genres } = await ask(engineWith([...PLAIN, ...rules]), { subject: NOBODY });
  t.equal(slate.strategy, 'cold-start');
  t.equal(ids[0], popular[9]);
  t.notOk(ids.includes(popular[0]!));
  t.equal(ids.length, 10);
  t.equal(genres.slice(0, 4).filter((genre) => genre === 'sport').length, 2);
});

t.test('the fallback applies the same rules: its slate is that of the popular items', async (t) => {
  const rules: RuleEntry[] = [
    ...PLAIN,
    CAP,
    { diversity: { strength: 0.3, by: 'vectors' } },
    { fresh: { halfLifeDays: 10, strength: 0.2 } },
    { boost: { strength: 0.2, when: { filter: ['genres:news'] } } },
    { pin: { item: 'i040', position: 3 } },
    { hide: { items: ['i000', 'i001'] } },
  ];
  const scenarios = scenariosWith(rules, { sources: { popular: 30 }, ranker: 'fusion' });
  const { engine } = await openBundle(folder, scenarios);
  t.teardown(() => engine.ranker.close());
  const fallback = await createFallbackEngine(bundle.contents, { scenarios, clock: engine.clock });
  for (const explain of ['none', 'reasons'] as const) {
    const request = { ...REQUEST, explain };
    const { slate } = await fallBack(request, fallback, { cause });
    t.same(slate.items, (await recommend(request, engine)).slate.items);
    t.equal(slate.items[2]!.itemId, 'i040');
  }
});

t.test('what moved an item is explained where it is asked for, and nothing where no rule did', async (t) => {
  const engine = engineWith([...PLAIN, { pin: { item: plain[4]!, position: 1 } }]);
  const { items } = await ask(engine, { explain: 'reasons', limit: 3 });
  t.same(
    items.map(({ reasons }) => reasons),
    [
      [{ rule: 'pin', detail: 'place 1', from: 5, to: 1 }],
      [{ rule: 'pin', detail: 'makes room', from: 1, to: 2 }],
      [{ rule: 'pin', detail: 'makes room', from: 2, to: 3 }],
    ],
  );
  t.notOk('sources' in items[0]!);
  const unmoved = await ask(bundle.engine, { explain: 'reasons' });
  for (const { reasons } of unmoved.items) t.same(reasons, []);
  t.notOk('reasons' in (await ask(engine)).items[0]!);
});

t.test('the sample of features has the rows of what is shown, pins too', async (t) => {
  const engine = engineWith([...PLAIN, { pin: { item: plain[4]!, position: 1 } }]);
  const { features, slate } = await recommend({ ...REQUEST, explain: 'features' }, engine, {
    capture: { features: true },
  });
  const [first] = slate.items;
  const columns = engine.assembler.featureOrder.length;
  t.same([...features!.values.subarray(0, columns)], Object.values(first!.features!));
});

t.test('the skew check finds the same candidates: pins, and what a cap needs', async (t) => {
  const pin: RuleEntry = { pin: { item: 'i053', position: 2 } };
  const engine = engineWith([...PLAIN, CAP, pin], { maxCandidates: 4, sources: { 'similar-items': 4 } });
  const request = { ...REQUEST, subject: { itemId: 'i002' }, limit: 4 };
  const { candidates } = await recommend(request, engine);
  const offline = await retrieveOffline(hydrateQuery(request, engine), engine);
  t.ok(candidates.items.length > 5);
  t.ok(candidates.items.includes(catalogue.entities.find('i053')));
  t.same([...offline.candidates.items], [...candidates.items]);
});

t.test('what is pinned to a place that another pin has is no candidate by that', async (t) => {
  const pin = (item: string): RuleEntry => ({ pin: { item, position: 1 } });
  const few = { maxCandidates: 4, sources: { 'similar-items': 4 } };
  const subject = { itemId: 'i002' };
  const { candidates } = await ask(engineWith([pin('i053'), pin('i055')], few), { subject, limit: 3 });
  t.ok(candidates.items.includes(catalogue.entities.find('i053')));
  t.notOk(candidates.items.includes(catalogue.entities.find('i055')));
});
