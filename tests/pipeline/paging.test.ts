import t from 'tap';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import type { LiveHistory } from '../../src/domain/history.js';
import { hashId } from '../../src/domain/id-table.js';
import type { Slate } from '../../src/domain/slate.js';
import { openEngine } from '../../src/engine/open-engine.js';
import type { Execution } from '../../src/pipeline/execution.js';
import { fallBack } from '../../src/pipeline/fall-back.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { coldStart: _, ...home } = SCENARIOS.get('home')!;

/** One that fills any slate, some that run out, and one whose rules forbid nothing. */
const PAGED: readonly ScenarioConfig[] = [
  { ...home, name: 'ranked', maxCandidates: 12 },
  { ...home, name: 'fused', maxCandidates: 12, ranker: 'fusion' },
  { ...home, name: 'runs-out', maxCandidates: 12, ranker: 'fusion', sources: { 'similar-items': 12 } },
  { ...home, name: 'without-rules', maxCandidates: 12, sources: { popular: 12 }, rules: [] },
];

const { folder } = await writeSmallBundle(t.testdir());
const scenarios = new Map([
  ...SCENARIOS,
  ...PAGED.map((scenario): [string, ScenarioConfig] => [scenario.name, scenario]),
]);
const engine = await openEngine(folder, scenarios);
t.teardown(() => engine.ranker.close());
const ALL = engine.catalogue.entities.ids;

const ASKED: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'ranked',
  limit: 7,
  exclude: [],
  filters: [],
  explain: 'none',
};

type Ask = (request: RecommendationRequest) => Promise<Slate>;

const ask =
  (execution: Execution = {}): Ask =>
  async (request) =>
    (await recommend(request, engine, execution)).slate;

/** All pages of a list, until one says that it is the last. */
async function walk(changes: Partial<RecommendationRequest>, next: Ask = ask()): Promise<string[][]> {
  const pages: string[][] = [];
  for (let shown: number[] | undefined; ;) {
    const slate = await next({ ...ASKED, ...changes, ...(shown && { shown }) });
    const ids = slate.items.map(({ itemId }) => itemId);
    pages.push(ids);
    shown = [...(shown ?? []), ...ids.map(hashId)];
    if (pages.length > ALL.length) throw new Error('there are more pages than items');
    if (!slate.hasMore) {
      // What says that nothing is left is right, and what said the opposite was.
      t.same((await next({ ...ASKED, ...changes, shown })).items, []);
      return pages;
    }
  }
}

t.test('pages show all that there is, each item once, and the last one says so', async (t) => {
  const seen = Array.from(engine.histories.find('u3').items, (item) => ALL[item]!);
  for (const { name: scenario } of PAGED) {
    for (const limit of [1, 7, 12, 60, 100]) {
      for (const depth of [1, 0.01]) {
        const pages = await walk({ scenario, limit }, ask({ depth }));
        const shown = pages.flat();
        const what = `${scenario}, ${limit} each, depth ${depth}`;
        t.equal(new Set(shown).size, shown.length, what);
        t.ok(
          pages.slice(0, -1).every(({ length }) => length === limit),
          `${what}: pages are full`,
        );
        t.ok(pages.at(-1)!.length > 0 && pages.at(-1)!.length <= limit, `${what}: none is empty`);
        if (scenario === 'without-rules') t.equal(shown.length, ALL.length, what);
        else if (scenario !== 'runs-out') t.equal(shown.length, ALL.length - seen.length, what);
      }
    }
  }
});

t.test('the first page of a list is the same however it goes on', async (t) => {
  const whole = await ask()({ ...ASKED, limit: 100 });
  t.notOk(whole.hasMore);
  const [first] = await walk({ scenario: 'ranked', limit: 5 });
  t.same(
    (await ask()({ ...ASKED, limit: 5 })).items.map(({ itemId }) => itemId),
    first,
  );
});

t.test('what was shown is no candidate again, whatever the subject does meanwhile', async (t) => {
  const first = await ask()({ ...ASKED, scenario: 'without-rules' });
  const shown = first.items.map(({ itemId }) => hashId(itemId));
  const live: LiveHistory = {
    items: Int32Array.from(first.items.slice(0, 3), ({ itemId }) => ALL.indexOf(itemId)),
    timestamps: Float64Array.of(1, 2, 3).map((second) => engine.knownUntil + second),
    values: Float32Array.of(1, 1, 1),
    negative: Uint8Array.of(0, 1, 0),
  };
  const second = await ask({ prefetched: { live } })({ ...ASKED, scenario: 'without-rules', shown });
  t.equal(second.items.length, ASKED.limit);
  for (const { itemId } of second.items)
    t.notOk(
      first.items.some((item) => item.itemId === itemId),
      itemId,
    );
  const again = await ask()({ ...ASKED, scenario: 'without-rules' });
  t.same(again.items, first.items, 'control: without it they would be the same');
});

t.test('what a bundle does not have is shown by no page, and hinders none', async (t) => {
  const shown = [...Array.from({ length: 499 }, (_, at) => hashId(`gone-${at}`)), hashId(ALL[0]!)];
  const [before, after] = [
    await ask()({ ...ASKED, scenario: 'without-rules', limit: 100 }),
    await ask()({ ...ASKED, scenario: 'without-rules', limit: 100, shown }),
  ];
  t.same(
    after.items.map(({ itemId }) => itemId),
    before.items.map(({ itemId }) => itemId).filter((id) => id !== ALL[0]),
  );
});

t.test('candidates that were shown are neither ranked nor dropped', async (t) => {
  const candidates = [...ALL, 'nothing'];
  const pages: string[][] = [];
  let dropped: Slate['dropped'];
  let shown: number[] = [];
  for (let hasMore = true; hasMore;) {
    const slate: Slate = await ask()({ ...ASKED, candidates, limit: 20, shown });
    const ids = slate.items.map(({ itemId }) => itemId);
    pages.push(ids);
    shown = [...shown, ...ids.map(hashId)];
    dropped ??= slate.dropped;
    t.same(slate.dropped, dropped, 'the same on every page');
    hasMore = slate.hasMore && pages.length <= ALL.length;
  }
  t.same(
    pages.map(({ length }) => length),
    [20, 20, ALL.length - 40 - (dropped!.length - 1)],
  );
  t.equal(new Set(pages.flat()).size, pages.flat().length);
  const { items, hasMore } = await ask()({ ...ASKED, candidates: ALL.slice(0, 20), limit: 100 });
  t.ok(items.length > 0);
  t.notOk(hasMore, 'all that can be ranked is shown');
});

t.test('the fallback of the whole pipeline goes on with the pages, too', async (t) => {
  const cause = new ShortlistError('COMPUTE_FAILED', 'no thread is left');
  const whole = (await walk({ limit: 100 })).flat();
  for (const limit of [7, 23, 100]) {
    const pages = await walk(
      { limit },
      async (request) => (await fallBack(request, engine, { cause })).slate,
    );
    t.same([...pages.flat()].sort(), [...whole].sort(), String(limit));
    t.equal(new Set(pages.flat()).size, pages.flat().length);
  }
  let turn = 0;
  const mixed = await walk({ limit: 7 }, async (request) =>
    turn++ % 2 === 0 ? ask()(request) : (await fallBack(request, engine, { cause })).slate,
  );
  t.same([...mixed.flat()].sort(), [...whole].sort(), 'where some pages fell back and some did not');
});
