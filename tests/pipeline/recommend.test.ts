import t from 'tap';
import { NOBODY } from '../../src/domain/subject.js';
import type { CandidateSource } from '../../src/candidates/candidate-source.js';
import { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureQuery } from '../../src/features/feature-group.js';
import type { FeatureStore } from '../../src/features/feature-store.js';
import { createUnknownUser } from '../../src/pipeline/read-user-rows.js';
import type { Engine } from '../../src/pipeline/engine.js';
import type { Execution } from '../../src/pipeline/execution.js';
import { hydrateQuery } from '../../src/pipeline/hydrate-query.js';
import { fallBack } from '../../src/pipeline/fall-back.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { Recommendation, RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir());
const engine = await openEngine(folder, SCENARIOS);
t.teardown(() => engine.ranker.close());

const REQUEST: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'home',
  limit: 10,
  exclude: [],
  filters: [],
  explain: 'none',
};

function ask(
  changes: Partial<RecommendationRequest> = {},
  on: Engine = engine,
  execution: Execution = {},
): Promise<Recommendation> {
  return recommend({ ...REQUEST, ...changes }, on, execution);
}

const idsOf = ({ slate }: Recommendation): string[] => slate.items.map(({ itemId }) => itemId);

/** The engine with one source or the ranker replaced by something that fails. */
function withFailing(error: unknown, ...names: string[]): Engine {
  const fail = (): never => {
    throw error;
  };
  const failing = names.map((name): [string, CandidateSource] => [name, { name, retrieve: fail }]);
  const ranker = names.includes('ranker') ? { ...engine.ranker, rank: async () => fail() } : engine.ranker;
  return { ...engine, ranker, sources: new Map([...engine.sources, ...failing]) };
}

t.test('a user who is forgotten has no place in a bundle: no index, no history', async (t) => {
  const hydrate = (isForgotten?: boolean) =>
    hydrateQuery({ ...REQUEST, subject: { userId: 'u3', ...(isForgotten && { isForgotten }) } }, engine);
  t.equal(hydrate().userIndex, engine.users.find('u3'));
  t.ok(hydrate().history.items.length > 0);
  t.equal(hydrate(true).userIndex, undefined);
  t.equal(hydrate(true).history.items.length, 0);
});

t.test('requests one after the other share a mask, those side by side do not', async (t) => {
  const users = ['u3', 'u1', 'u2', 'u3'];
  const { masks: _, ...without } = engine;
  const alone = await Promise.all(users.map((userId) => ask({ subject: { userId } }, without)));
  const sideBySide = await Promise.all(users.map((userId) => ask({ subject: { userId } })));
  t.same(sideBySide.map(idsOf), alone.map(idsOf));
  const inTurn = [];
  for (const userId of users) inTurn.push(idsOf(await ask({ subject: { userId } })));
  t.same(inTurn, alone.map(idsOf));

  const taken: Uint8Array[] = [];
  const masks = { ...engine.masks!, take: () => taken[taken.push(engine.masks!.take()) - 1]! };
  for (const userId of users) await ask({ subject: { userId } }, { ...engine, masks });
  t.equal(new Set(taken).size, 1);
});

t.test('a known user gets ten unseen items, best first, each once', async (t) => {
  const { slate, stages, candidates } = await ask();
  const seen = engine.histories.find('u3').items;
  const ids = slate.items.map(({ itemId }) => itemId);
  t.equal(slate.items.length, 10);
  t.equal(new Set(ids).size, 10);
  for (const item of seen) t.notOk(ids.includes(engine.catalogue.entities.idAt(item)));
  t.same(
    slate.items.map(({ position }) => position),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  for (let at = 1; at < 10; at++) t.ok(slate.items[at - 1]!.score >= slate.items[at]!.score);
  t.match(slate, {
    scenario: 'home',
    bundle: engine.manifest.version,
    strategy: 'personalised',
    degraded: [],
  });
  t.match(slate.items[0]!.attributes, { title: /^Title \d+$/, genres: [String], year: Number });
  t.notOk('sources' in slate.items[0]! || 'features' in slate.items[0]!);
  t.same(
    stages.map(({ stage }) => stage).sort(),
    [
      ...Object.keys(SCENARIOS.get('home')!.sources).map((source) => `candidates.${source}`),
      'features',
      'ranking',
      'rules',
    ].sort(),
  );
  t.ok(candidates.items.length >= 40);
});

t.test('users of one taste get items of that taste', async (t) => {
  const { slate } = await ask({ subject: { userId: 'u4' } });
  const sport = slate.items.filter(({ attributes }) => String(attributes['genres']) === 'sport');
  t.ok(sport.length >= 7, `${sport.length} of 10 are sport`);
});

t.test('the same request gives the same slate', async (t) => {
  t.same((await ask()).slate, (await ask()).slate);
});

t.test('unknown users, and users who did nothing, get the most popular items as a cold start', async (t) => {
  const popular = idsOf(await ask({ subject: NOBODY, scenario: 'popular' }));
  for (const userId of ['nobody-we-know', '__proto__', 'u79']) {
    const answer = await ask({ subject: { userId } });
    t.match(answer.slate, { strategy: 'cold-start', scenario: 'home', degraded: [] });
    t.same(idsOf(answer), popular, userId);
  }
});

t.test('excluded items do not appear and do not shorten the slate', async (t) => {
  const before = idsOf(await ask());
  const after = idsOf(await ask({ exclude: [...before.slice(0, 5), 'no-such-item'] }));
  t.equal(after.length, 10);
  for (const id of before.slice(0, 5)) t.notOk(after.includes(id));
});

t.test('a filter leaves only what it asks for, and still a full slate where there is enough', async (t) => {
  const { slate } = await ask({ filters: [{ attribute: 'genres', value: 'news' }] });
  t.equal(slate.items.length, 10);
  for (const { attributes } of slate.items) t.same(attributes['genres'], ['news']);
  const none = await ask({ filters: [{ attribute: 'genres', value: 'opera' }] });
  t.same(none.slate.items, []);
});

t.test('a slate as long as the rest of the catalogue holds all of it', async (t) => {
  const { slate } = await ask({ limit: 100 });
  t.equal(slate.items.length, 60 - engine.histories.find('u3').items.length);
});

t.test('more like an item: its neighbours, without itself', async (t) => {
  const answer = await ask({ subject: { itemId: 'i002' }, scenario: 'similar', limit: 5 });
  t.equal(answer.slate.items.length, 5);
  t.notOk(idsOf(answer).includes('i002'));
  const sport = answer.slate.items.filter(({ attributes }) => String(attributes['genres']) === 'sport');
  t.ok(sport.length >= 4, `${sport.length} of 5 share its topic`);
});

t.test('where one source answers alone, its own scores are the scores', async (t) => {
  const { slate } = await ask({ subject: NOBODY, scenario: 'popular', explain: 'sources' });
  for (const { score, sources } of slate.items) t.equal(score, sources![0]!.score);
  t.ok(slate.items[0]!.score > 1, 'popular counts users');
});

t.test('sources are explained when asked for', async (t) => {
  const { slate } = await ask({ explain: 'sources' });
  for (const { sources, features } of slate.items) {
    t.ok(sources!.length > 0);
    t.equal(features, undefined);
    for (const source of sources!) t.match(source, { name: String, score: Number, rank: Number });
  }
});

t.test('features are explained when asked for, by name, with nothing where no ranker read any', async (t) => {
  const { slate } = await ask({ explain: 'features' });
  t.same(Object.keys(slate.items[0]!.features!), engine.assembler.featureOrder);
  const popular = await ask({ explain: 'features', scenario: 'popular' });
  t.same(popular.slate.items[0]!.features, {});
});

t.test('unknown scenarios, attributes and items are refused by name', async (t) => {
  await t.rejects(ask({ scenario: 'checkout' }), {
    code: 'UNKNOWN_SCENARIO',
    message: /'checkout'. Scenarios: continue, home, new, popular, similar, trending/,
  });
  await t.rejects(ask({ filters: [{ attribute: 'colour', value: 'red' }] }), { code: 'UNKNOWN_ATTRIBUTE' });
  await t.rejects(ask({ subject: { itemId: 'i999' }, scenario: 'similar' }), {
    code: 'ITEM_NOT_FOUND',
  });
});

t.test('a failing ranker falls back to fusion order and says so', async (t) => {
  const broken = withFailing(new ShortlistError('RANKER_INVALID_OUTPUT', 'NaN in row 3'), 'ranker');
  const answer = await ask({}, broken);
  t.same(answer.slate.degraded, [{ stage: 'ranking', reason: 'ranker_invalid_output' }]);
  t.same(
    idsOf(answer),
    Array.from(answer.candidates.items.subarray(0, 10), (item) => engine.catalogue.entities.idAt(item)),
  );
  t.match(
    answer.stages.find(({ stage }) => stage === 'ranking'),
    { outcome: 'fallback', cause: { message: /NaN/ } },
  );
});

t.test('a failing source is left out and the answer says so', async (t) => {
  const answer = await ask({}, withFailing(new ShortlistError('SOURCE_FAILED', 'gone'), 'als'));
  t.same(answer.slate.degraded, [{ stage: 'candidates.als', reason: 'source_failed' }]);
  t.equal(answer.slate.items.length, 10);
});

t.test('when every source fails the request fails with a code', async (t) => {
  const gone = withFailing(new ShortlistError('SOURCE_FAILED', 'gone'), ...engine.sources.keys());
  await t.rejects(ask({}, gone), { code: 'SOURCE_FAILED' });
});

t.test('our own mistakes are not hidden behind a fallback', async (t) => {
  await t.rejects(ask({}, withFailing(new TypeError('x is undefined'), 'ranker')), {
    message: 'x is undefined',
  });
  await t.rejects(ask({}, withFailing(new TypeError('x is undefined'), 'als')), {
    message: 'x is undefined',
  });
});

/** A store of the users view that answers later, with values of its own. */
function onlineStore(
  asked: string[] = [],
  getMany: FeatureStore['getMany'] = async ([userId], { values }) => {
    asked.push(userId!);
    values.fill(1000);
  },
): FeatureStore {
  return { view: engine.manifest.views.users, getMany, close: async () => undefined };
}

t.test('an online store gives the values of the user that ranking sees', async (t) => {
  const asked: string[] = [];
  t.ok(engine.manifest.views.users.fields.length > 0);
  const online = { ...engine, userStores: [onlineStore(asked)], assembler: recordingAssembler() };
  const { slate } = await ask({}, online);
  t.same(slate.degraded, []);
  t.ok(online.assembler.queries[0]!.userRows[0]!.values.every((value) => value === 1000));
  t.same(asked, ['u3']);
  await ask({ subject: { itemId: engine.catalogue.entities.idAt(0) }, scenario: 'similar' }, online);
  await ask({ subject: NOBODY }, online);
  t.same(asked, ['u3'], 'an item is not asked for as if it were a user');
});

t.test('user views are read at the same time, and what was read is told', async (t) => {
  const asked: string[] = [];
  const read: object[] = [];
  const observer = { loaded: () => undefined, read: (values: object) => read.push(values) };
  const both = onlineStore(asked, async ([userId]) => {
    asked.push(`${userId} begins`);
    await Promise.resolve();
    asked.push(`${userId} ends`);
  });
  const { slate } = await ask({}, { ...engine, observer, userStores: [both, both, engine.userStores[0]!] });
  t.same(slate.degraded, []);
  t.same(asked, ['u3 begins', 'u3 begins', 'u3 ends', 'u3 ends']);
  t.match(read, [{ view: 'users', unknownEntity: 0 }, { present: Number }, { present: Number }]);
});

const GONE = new ShortlistError('FEATURES_FAILED', 'Redis is away.');

t.test(
  'when the online store fails the user has the declared defaults, and the answer says so',
  async (t) => {
    const failures: FeatureStore['getMany'][] = [
      () => Promise.reject(GONE),
      () => {
        throw GONE;
      },
    ];
    for (const fail of failures) {
      const userStores = [onlineStore([], fail), engine.userStores[0]!];
      const failing = { ...engine, assembler: recordingAssembler(), userStores };
      const { slate } = await ask({}, failing);
      t.same(slate.degraded, [{ stage: 'features', reason: 'features_failed' }]);
      t.equal(slate.items.length, 10);
      const [query, ...others] = failing.assembler.queries;
      t.same(others, []);
      t.same(query!.userRows[0], createUnknownUser(engine).rows[0]);
      t.notSame(query!.userRows[1], query!.userRows[0], 'the views that answered have what they said');
    }
  },
);

t.test('a mistake of our own in a store is not taken for a store that fails', async (t) => {
  const broken = onlineStore([], () => Promise.reject(new TypeError('x is undefined')));
  await t.rejects(ask({}, { ...engine, userStores: [broken] }), { message: 'x is undefined' });
});

function recordingAssembler(): Engine['assembler'] & { queries: FeatureQuery[] } {
  const queries: FeatureQuery[] = [];
  return {
    ...engine.assembler,
    queries,
    assemble: (query) => {
      queries.push(query);
      return engine.assembler.assemble(query);
    },
  };
}

t.test('a depth below 1 retrieves and ranks that share, and never fewer than asked for', async (t) => {
  const { maxCandidates } = engine.scenarios.get('home')!;
  const { candidateCount, candidates, slate } = await ask({ limit: 3 }, engine, { depth: 0.05 });
  t.equal(candidateCount, Math.ceil(0.05 * maxCandidates));
  for (const retrieval of candidates.retrievals) t.ok(retrieval.items.length <= candidateCount);
  t.equal(slate.items.length, 3);
  t.equal(
    (await ask({ limit: 5 }, engine, { depth: 0.01 })).candidateCount,
    6,
    'one more, to know that there is more',
  );
  t.equal((await ask({ limit: 5 }, engine, { depth: 0.01 })).slate.items.length, 5);
});

t.test('without popular items there is no fallback, and the cause is told', async (t) => {
  const cause = new ShortlistError('COMPUTE_FAILED', 'no thread is left');
  const request = {
    subject: NOBODY,
    scenario: 'home',
    limit: 3,
    exclude: [],
    filters: [],
  } as const;
  const asked = { ...request, explain: 'none' } as const;
  await t.rejects(fallBack(asked, { ...engine, sources: new Map() }, { cause }), cause);
  t.equal((await fallBack(asked, engine, { cause })).slate.items.length, 3);
});
