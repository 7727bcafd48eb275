import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { RuleEntry } from '../../src/config/rule-config.js';
import { startCachedServer } from '../support/cached-server.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir({ one: {} });
const { folder, manifest } = await writeSmallBundle(join(dir, 'one'));
const models = join(dir, 'models');
const registry = createFolderRegistry(models);
await registry.publish(folder);

/** A server of real threads whose scenarios have these rules besides their own. */
async function serve(
  t: Test,
  rules: readonly RuleEntry[],
  options: { clock?: () => number; workers?: 0 } = {},
) {
  const { clock = () => manifest.knownUntil, ...rest } = options;
  const scenarios = new Map(
    Array.from(SCENARIOS, ([name, scenario]) => [
      name,
      { ...scenario, rules: [...scenario.rules, ...rules] },
    ]),
  );
  return startCachedServer(t, models, { ...rest, service: { scenarios, clock } });
}

interface Item {
  readonly itemId: string;
  readonly position: number;
  readonly score: number;
  readonly reasons?: readonly { rule: string; detail: string; from: number; to: number }[];
}

const PATHS = [
  '/recommendations/u3?scenario=home',
  '/recommendations/nobody-we-know?scenario=home',
  '/recommendations/u3?scenario=popular',
  '/items/i002/similar?exclude=i001',
];

t.test(
  'every route has the rules, and says what moved an item from the place that it has without',
  async (t) => {
    const plain = await serve(t, [], { workers: 0 });
    const server = await serve(t, [
      { cap: { attribute: 'genres', most: 2, in: 4 } },
      { diversity: { strength: 0.2, by: 'vectors' } },
      { fresh: { halfLifeDays: 10, strength: 0.1 } },
      { boost: { strength: 0.2, when: { filter: ['genres:news'] } } },
      { pin: { item: 'i051', position: 3 } },
      { hide: { items: ['i000'] } },
    ]);
    for (const path of PATHS) {
      const without = (await plain.get(`${path}&limit=100&exclude=i000`)).body.items as Item[];
      const { status, body, cache } = await server.get(`${path}&limit=9&explain=reasons`);
      t.equal(status, 200, path);
      t.equal(cache, 'miss');
      t.same(body.degraded, []);
      const items = body.items as Item[];
      t.equal(items.length, 9);
      t.equal(items[2]!.itemId, 'i051');
      for (const { itemId, position, score, reasons } of items) {
        const moves = reasons!;
        const ranked = without.findIndex((item) => item.itemId === itemId);
        t.equal(moves[0]?.from ?? position, ranked + 1, `${path} ${itemId} ${JSON.stringify(moves)}`);
        t.equal(moves.at(-1)?.to ?? position, position);
        t.ok(moves.every(({ from }, at) => at === 0 || from === moves[at - 1]!.to));
        t.equal(score, without[ranked]!.score, 'the score is that of ranking');
      }
      t.same((await server.get(`${path}&limit=9&explain=reasons`)).cache, 'hit');
      const unexplained = (await server.get(`${path}&limit=9`)).body.items as Item[];
      t.same(
        unexplained.map(({ itemId }) => itemId),
        items.map(({ itemId }) => itemId),
      );
      t.notOk('reasons' in unexplained[0]!);
    }
  },
);

t.test('a kept answer is none for when a rule begins or ends', async (t) => {
  let now = 0;
  const from = '1970-01-01T01:00:00Z';
  const until = '1970-01-01T02:00:00Z';
  const server = await serve(t, [{ hide: { items: ['i002'], from, until } }], {
    clock: () => now,
    workers: 0,
  });
  const see = async (hours: number): Promise<string> => {
    now = hours * 3600;
    const { body, cache } = await server.get('/popular?limit=100');
    return `${cache} ${body.items.some(({ itemId }) => itemId === 'i002') ? 'shown' : 'hidden'}`;
  };
  t.equal(await see(0), 'miss shown');
  t.equal(await see(0.99), 'hit shown');
  t.equal(await see(1), 'miss hidden');
  t.equal(await see(1.99), 'hit hidden');
  t.equal(await see(2), 'hit shown');
});
