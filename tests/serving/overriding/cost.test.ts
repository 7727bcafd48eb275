import t from 'tap';
import type { Override } from '../../../src/config/override-config.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import { openEngine } from '../../../src/engine/open-engine.js';
import { toOverrides } from '../../../src/overrides/parse-overrides.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import { fallBack } from '../../../src/pipeline/fall-back.js';
import { recommend } from '../../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { NO_OVERRIDES, type Overrides } from '../../../src/rules/overrides.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

t.setTimeout(300_000);
const { folder } = await writeSmallBundle(t.testdir({}), { world: { users: 80, items: 2000, perUser: 40 } });
const state: { overrides: Overrides } = { overrides: NO_OVERRIDES };
const engine: Engine = await openEngine(folder, SCENARIOS, { overrides: { current: () => state.overrides } });
const request: RecommendationRequest = {
  subject: { userId: 'u1' },
  scenario: 'home',
  limit: 10,
  exclude: [],
  filters: [],
  explain: 'none',
};
const id = (item: number): string => `i${String(item).padStart(3, '0')}`;
const thousand = (make: (at: number) => Override): readonly Override[] =>
  Array.from({ length: 1000 }, (_, at) => make(at));

async function medianMs(asked: RecommendationRequest = request): Promise<number> {
  for (let warm = 0; warm < 20; warm++) await recommend(asked, engine);
  const times: number[] = [];
  for (let at = 0; at < 41; at++) {
    const beganAt = performance.now();
    await recommend(asked, engine);
    times.push(performance.now() - beganAt);
  }
  return times.sort((a, b) => a - b)[20]!;
}

const MANY: readonly (readonly [what: string, overrides: readonly Override[]])[] = [
  ['pins of one place', thousand((at) => ({ pin: { item: id(at), position: 1 } }))],
  ['pins of all places', thousand((at) => ({ pin: { item: id(at), position: 1 + (at % 600) } }))],
  ['hides', thousand((at) => ({ hide: { items: [id(at)] } }))],
  ['hides by a filter', thousand((at) => ({ hide: { when: { filter: [`year:${1990 + (at % 29)}`] } } }))],
  ['boosts', thousand((at) => ({ boost: { strength: 0.01, items: [id(at)] } }))],
  [
    'pins that begin one after the other',
    thousand((at) => ({
      pin: {
        item: id(at),
        position: 1 + (at % 10),
        from: new Date(Date.UTC(2020, 0, 1, 0, at)).toISOString().replace('.000', ''),
      },
    })),
  ],
];

for (const [what, overrides] of MANY) {
  t.test(`a thousand ${what} cost bounded time, however an answer is explained`, async (t) => {
    state.overrides = NO_OVERRIDES;
    const bare = await medianMs();
    const beganAt = performance.now();
    state.overrides = toOverrides({ overrides });
    await recommend(request, engine);
    const bound = performance.now() - beganAt;
    const [plain, explained] = [await medianMs(), await medianMs({ ...request, explain: 'reasons' })];
    const figures = `${bare.toFixed(2)} ms without, ${plain.toFixed(2)} ms with, ${explained.toFixed(2)} ms explained, ${bound.toFixed(1)} ms the first`;
    t.comment(`${what}: ${figures}`);
    t.ok(plain < bare + 20, figures);
    t.ok(explained < bare + 300, figures);
    t.ok(bound < bare + 1000, figures);
    const { slate } = await recommend(request, engine);
    t.equal(slate.items.length, 10, 'and the slate is full');
  });
}

t.test(
  'of a thousand pins of one place the first that may be shown is there, and no other is ranked for it',
  async (t) => {
    state.overrides = NO_OVERRIDES;
    const without = await recommend(request, engine);
    state.overrides = toOverrides({
      overrides: [
        { hide: { items: [id(1000)] } },
        ...thousand((at) => ({ pin: { item: id(1000 + at), position: 1 } })).slice(1),
      ],
    });
    const { slate, candidateCount } = await recommend(request, engine);
    t.equal(slate.items[0]!.itemId, id(1001));
    t.ok(
      candidateCount <= without.candidateCount + 1,
      `${candidateCount} candidates, ${without.candidateCount} without`,
    );
  },
);

t.test('the answer in place of one that failed keeps to overrides too', async (t) => {
  state.overrides = NO_OVERRIDES;
  const cause = new ShortlistError('COMPUTE_FAILED', 'gone');
  const before = (await fallBack(request, engine, { cause })).slate.items.map(({ itemId }) => itemId);
  state.overrides = toOverrides({
    overrides: [{ hide: { items: [before[0]!] } }, { pin: { item: before[9]!, position: 1 } }],
  });
  const after = (await fallBack(request, engine, { cause })).slate.items.map(({ itemId }) => itemId);
  t.equal(after[0], before[9]);
  t.notOk(after.includes(before[0]!));
  t.equal(after.length, 10);
});

t.test(
  'an item that is pinned twice stands at the first place, and the next pin of the other counts',
  async (t) => {
    const pin = (item: number, position: number): Override => ({ pin: { item: id(item), position } });
    state.overrides = toOverrides({ overrides: [pin(1001, 1), pin(1001, 2), pin(1002, 2)] });
    const { items } = (await recommend(request, engine)).slate;
    t.same(
      items.slice(0, 2).map(({ itemId }) => itemId),
      [id(1001), id(1002)],
    );
  },
);

t.test('pages go on past pins: no item twice, and a pin stands where the list says', async (t) => {
  state.overrides = NO_OVERRIDES;
  const { items } = (await recommend({ ...request, limit: 30 }, engine)).slate;
  state.overrides = toOverrides({ overrides: [{ pin: { item: items[25]!.itemId, position: 12 } }] });
  const whole = (await recommend({ ...request, limit: 20 }, engine)).slate.items.map(({ itemId }) => itemId);
  t.equal(whole[11], items[25]!.itemId);
  t.equal(new Set(whole).size, 20);
});
