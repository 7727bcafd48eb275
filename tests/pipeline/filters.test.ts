import t from 'tap';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { toAttributeFilter } from '../../src/domain/named-value.js';
import type { Slate } from '../../src/domain/slate.js';
import { NOBODY } from '../../src/domain/subject.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { fallBack } from '../../src/pipeline/fall-back.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { requestOf } from '../support/live-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir());
const engine = await openEngine(folder, SCENARIOS);
t.teardown(() => engine.ranker.close());

const REQUEST = requestOf({ userId: 'u3' }, { limit: 100 });

async function ask(changes: Partial<RecommendationRequest> = {}, on = engine): Promise<Slate> {
  return (await recommend({ ...REQUEST, ...changes }, on)).slate;
}

/** The engine with filters in some of its scenarios. */
function withFilters(filters: Readonly<Record<string, readonly string[]>>): typeof engine {
  const scenarios = [...SCENARIOS].map(([name, scenario]): [string, ScenarioConfig] => [
    name,
    filters[name] === undefined ? scenario : { ...scenario, filters: [...filters[name]] },
  ]);
  return { ...engine, scenarios: new Map(scenarios) };
}

const filters = (...texts: string[]) => ({ filters: texts.map(toAttributeFilter) });
const yearsOf = ({ items }: Slate): number[] => items.map(({ attributes }) => Number(attributes['year']));
const idsOf = ({ items }: Slate): string[] => items.map(({ itemId }) => itemId);

t.test('bounds, ranges and negations leave what they say, in every scenario', async (t) => {
  for (const [scenario, subject] of [
    ['home', { userId: 'u3' }],
    ['home', NOBODY],
    ['popular', NOBODY],
    ['similar', { itemId: 'i002' }],
  ] as const) {
    const all = await ask({ scenario, subject });
    const some = await ask({ scenario, subject, ...filters('year:>=1995', 'year:<2005', 'genres:!news') });
    t.ok(some.items.length > 0 && some.items.length < all.items.length, `${some.items.length} items`);
    for (const { attributes } of some.items) {
      t.ok(Number(attributes['year']) >= 1995 && Number(attributes['year']) < 2005);
      t.notOk([attributes['genres']].flat().includes('news'));
    }
  }
});

t.test('a value that an attribute cannot have is refused, every one of them named', async (t) => {
  await t.rejects(ask(filters('year:recent', 'genres:<3', 'year:2000')), {
    code: 'INVALID_REQUEST',
    message: /^filter is "year:recent", allowed for year .*\. filter is "genres:<3", allowed for genres/,
  });
  await t.rejects(ask(filters('year:recent', 'colour:red')), { code: 'UNKNOWN_ATTRIBUTE' });
});

t.test('the filters of a scenario hold beside those of a request', async (t) => {
  const on = withFilters({ home: ['year:>=2000', 'genres:*'] });
  t.ok(Math.min(...yearsOf(await ask({}, on))) >= 2000);
  t.same(yearsOf(await ask(filters('year:1995'), on)), [], 'a value does not widen what the scenario allows');
  t.same([...new Set(yearsOf(await ask(filters('year:2001', 'year:1995'), on)))], [2001]);
  t.ok(Math.min(...yearsOf(await ask({}))) < 2000);
});

t.test(
  'they hold for a cold start and for the fallback, with those of the scenario that answers',
  async (t) => {
    const on = withFilters({ home: ['year:>=2000'], popular: ['year:<2010'] });
    const cold = yearsOf(await ask({ subject: NOBODY }, on));
    t.ok(cold.length > 0 && Math.min(...cold) >= 2000 && Math.max(...cold) < 2010, cold.join());
    const cause = new ShortlistError('OVERLOADED', 'none left');
    const { slate } = await fallBack(REQUEST, on, { cause });
    t.ok(slate.items.length > 0 && Math.min(...yearsOf(slate)) >= 2000);
  },
);

t.test('a candidate that the filters of its scenario forbid is dropped', async (t) => {
  const { items } = await ask({ subject: NOBODY });
  const old = items.find(({ attributes }) => Number(attributes['year']) < 2000)!.itemId;
  const young = items.find(({ attributes }) => Number(attributes['year']) >= 2000)!.itemId;
  const slate = await ask(
    { subject: NOBODY, candidates: [old, young] },
    withFilters({ home: ['year:>=2000'] }),
  );
  t.same(idsOf(slate), [young]);
  t.same(slate.dropped, [{ itemId: old, reason: 'ineligible' }]);
});

t.test(
  'several ids given as one are refused where each is an item, and ignored where one is not',
  async (t) => {
    for (const joined of ['i001,i002', 'i001, i002', 'i001,i002,i003']) {
      await t.rejects(ask({ exclude: ['i004', joined] }), {
        code: 'INVALID_REQUEST',
        message: new RegExp(
          `^exclude is "${joined}", which is no item, while its parts are.*exclude=a&exclude=b`,
        ),
      });
    }
    for (const harmless of ['i001,nothing', 'nothing,at all', ',', 'i001,', ',i001', 'nothing'])
      t.same(idsOf(await ask({ exclude: [harmless] })), idsOf(await ask()), harmless);
  },
);

t.test('an id that has a comma of its own is excluded', async (t) => {
  const { ids } = engine.catalogue.entities;
  const entities = new IdIndex(ids.map((id) => (id === 'i005' ? 'i001,i002' : id)));
  const catalogue = { ...engine.catalogue, entities };
  const slate = await ask({ subject: NOBODY, exclude: ['i001,i002'] }, { ...engine, catalogue });
  t.notOk(idsOf(slate).includes('i001,i002'));
  t.ok(idsOf(slate).includes('i001'));
  const all = await ask({ subject: NOBODY }, { ...engine, catalogue });
  t.ok(idsOf(all).includes('i001,i002'));
});

t.test('an answer carries the attributes that are asked for', async (t) => {
  const namesOf = ({ items }: Slate): string => Object.keys(items[0]!.attributes).join();
  t.equal(namesOf(await ask()), 'title,genres,year');
  t.equal(namesOf(await ask({ fields: ['year', 'title'] })), 'title,year', 'in the order of the dataset');
  t.equal(namesOf(await ask({ fields: ['year,title'] })), 'title,year');
  t.equal(namesOf(await ask({ fields: ['genres', '', 'genres'] })), 'genres');
  for (const none of [[], [''], ['', '']]) t.equal(namesOf(await ask({ fields: none })), '');
  t.same(idsOf(await ask({ fields: [] })), idsOf(await ask()));
  const cause = new ShortlistError('OVERLOADED', 'none left');
  t.equal(namesOf((await fallBack({ ...REQUEST, fields: ['year'] }, engine, { cause })).slate), 'year');
});

t.test('an attribute that answers do not show is refused with those there are', async (t) => {
  for (const name of ['colour', '__proto__', 'Title', ' title', '']) {
    await t.rejects(ask({ fields: [`title,${name}`] }), {
      code: 'UNKNOWN_ATTRIBUTE',
      message: `Cannot show '${name}'. Attributes that answers show: title, genres, year.`,
    });
  }
});

t.test('an attribute whose name has a comma is asked for by it', async (t) => {
  const attributes = engine.catalogue.attributes.map((attribute) =>
    attribute.name === 'year' ? { ...attribute, name: 'year, of release' } : attribute,
  );
  const on = { ...engine, catalogue: { ...engine.catalogue, attributes } };
  const { items } = await ask({ fields: ['year, of release'] }, on);
  t.same(Object.keys(items[0]!.attributes), ['year, of release']);
});
