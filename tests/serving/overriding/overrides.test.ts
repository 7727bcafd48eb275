import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { until } from '../../overrides/override-store-contract.js';
import { publishContextBundle } from '../../support/context-bundle.js';
import { makeLastingFolder } from '../../support/lasting-folder.js';
import { publishSmall, startOverridden } from './overridden-server.js';

t.setTimeout(300_000);
const registry = await publishSmall(t.testdir({}));
const HOME = '/recommendations/u1?limit=10';

for (const workers of [0, undefined] as const) {
  const where = workers === 0 ? 'on the event loop' : 'in threads';

  t.test(
    `${where}: a hidden item is gone from every answer at once, cached ones too, and comes back`,
    async (t) => {
      const server = await startOverridden(t, registry, { ...(workers === 0 && { workers }) });
      const [hidden] = await server.ids(HOME);
      const [popular] = await server.ids('/popular?limit=10');
      const items = [hidden!, popular!];
      const paths = [
        HOME,
        '/popular?limit=10',
        '/items/i007/similar?limit=59',
        '/recommendations/nobody?limit=59',
      ];
      const before = await Promise.all(paths.map((path) => server.get(path)));
      t.ok(before.every(({ body }) => body.items.some(({ itemId }) => items.includes(itemId))));
      t.equal((await server.get(HOME)).cache, 'hit');

      const put = await server.put({ why: 'recall', overrides: [{ hide: { items } }] }, '"none"');
      t.match(put, { status: 200, etag: `"${put.body.version}"`, body: { warnings: [], ineffective: [] } });
      for (const [index, path] of paths.entries()) {
        const { body, cache } = await server.get(path);
        t.equal(cache, 'miss', path);
        t.ok(
          body.items.every(({ itemId }) => !items.includes(itemId)),
          path,
        );
        const left = before[index]!.body.items.length;
        t.ok(body.items.length >= Math.min(10, left), `${path}: the next best take the places`);
      }
      const named = await server.post({ userId: 'u1', candidates: [...items, 'i020'], limit: 10 });
      for (const itemId of items)
        t.ok(
          named.body.dropped!.some((dropped) => dropped.itemId === itemId && dropped.reason === 'ineligible'),
        );

      t.equal((await server.put({ overrides: [] }, put.etag!)).status, 200);
      const after = await server.get(HOME);
      t.same(after.body.items, before[0]!.body.items, 'taken back, all is as before');
      t.equal(after.cache, 'hit', 'and what was kept for no overrides is good again');
    },
  );

  t.test(
    `${where}: pins, boosts and hides do what they do in scenarios, before the scenario's own, and say why`,
    async (t) => {
      const server = await startOverridden(t, registry, { ...(workers === 0 && { workers }) });
      const before = await server.ids('/recommendations/u1?limit=20');
      const [first, second, last] = [before[0]!, before[1]!, before[19]!];
      const seen = 'i000';
      await server.put({
        overrides: [
          { pin: { item: last, position: 2 }, why: 'campaign' },
          { pin: { item: first, position: 2 }, why: 'too late for this place' },
          { pin: { item: second, position: 1 } },
          { hide: { items: [second] }, why: 'sold out' },
          { pin: { item: seen, position: 3, when: { scenario: ['popular'] } } },
        ],
      });
      const { body } = await server.get(`${HOME}&explain=reasons`);
      const ids = body.items.map(({ itemId }) => itemId);
      t.equal(ids[1], last, 'of two pins of one place the first counts');
      t.notOk(ids.includes(second), 'hide wins over pin');
      t.equal(ids[0], first, 'the place of the pin that is hidden has the next best');
      t.equal(ids.length, 10);
      t.match((body.items[1] as { reasons?: unknown }).reasons, [
        { rule: 'pin', detail: 'place 2 (override 0: campaign)', to: 2 },
      ]);
      t.equal((await server.ids('/popular?limit=5'))[2], seen, 'in the scenario that it names');

      await server.put({ overrides: [{ boost: { strength: 1, items: [last] }, why: 'margin' }] });
      const boosted = await server.get(`${HOME}&explain=reasons`);
      const at = boosted.body.items.findIndex(({ itemId }) => itemId === last);
      t.ok(at >= 0 && at < 3, `${last} is at ${at}`);
      t.match((boosted.body.items[at] as { reasons?: unknown }).reasons, [
        { rule: 'boost', detail: 'strength 1 (override 0: margin)' },
      ]);
    },
  );
}

t.test('an item that the user has seen is not pinned where the scenario leaves such items out', async (t) => {
  const server = await startOverridden(t, registry, { workers: 0 });
  const all = await server.ids('/recommendations/u1?limit=59');
  const seen = Array.from({ length: 60 }, (_, item) => `i${String(item).padStart(3, '0')}`).find(
    (id) => !all.includes(id),
  )!;
  const before = await server.ids(HOME);
  t.match(await server.put({ overrides: [{ pin: { item: seen, position: 1 } }] }), {
    status: 200,
    body: { warnings: [] },
  });
  t.same(await server.ids(HOME), before, 'the next best stands in its place');
  t.equal(
    (await server.ids('/recommendations/nobody?limit=5'))[0],
    seen,
    'and who has not seen it, sees it first',
  );
});

t.test('from and until are moments, whatever their zone is, and cached answers end with them', async (t) => {
  const clock = { now: Date.parse('2026-03-01T07:59:59Z') / 1000 };
  const server = await startOverridden(t, registry, { workers: 0, service: { clock: () => clock.now } });
  const before = await server.ids(HOME);
  const item = before[4]!;
  const pin = { item, position: 1, from: '2026-03-01T09:00:00+01:00', until: '2026-03-01T00:00:01-08:00' };
  await server.put({ overrides: [{ pin }] });
  t.same(await server.ids(HOME), before, 'a second before');
  clock.now += 1;
  t.equal((await server.ids(HOME))[0], item);
  clock.now += 1;
  t.same(await server.ids(HOME), before, 'a second later');
  clock.now -= 1;
  t.equal((await server.ids(HOME))[0], item, 'a clock that jumps back is believed');
});

t.test(
  'a watched file: an item is gone within pollMs of the write, cached answers too; removed, it is back',
  async (t) => {
    const pollMs = 500;
    const server = await startOverridden(t, registry, { pollMs });
    const before = await server.ids(HOME);
    const goneWithin = async (isGone: boolean): Promise<number> => {
      const beganAt = performance.now();
      while ((await server.ids(HOME)).includes(before[0]!) === isGone)
        if (performance.now() - beganAt > 20_000) break;
      return performance.now() - beganAt;
    };
    writeFileSync(server.file, `overrides:\n  - hide: { items: [${before[0]!}] }\n    why: sold out\n`);
    const tookMs = await goneWithin(true);
    t.ok(tookMs < pollMs + 500, `${tookMs} ms; half a second is for a busy machine`);
    t.match(await server.read(), { body: { document: { overrides: [{ why: 'sold out' }] } } });
    rmSync(server.file);
    t.ok((await goneWithin(false)) < pollMs + 500);
    t.equal((await server.read()).etag, '"none"');
  },
);

t.test('what the bundle does not have: items are warnings, attributes and fields are refused', async (t) => {
  const server = await startOverridden(t, registry, { workers: 0 });
  const unknown = await server.put({
    overrides: [{ hide: { items: ['i001', 'soon'] } }, { pin: { item: 'later', position: 1 } }],
  });
  t.match(unknown, {
    status: 200,
    body: {
      warnings: [
        /^overrides\.0\.hide names soon, and the bundle has no such items$/,
        /^overrides\.1\.pin names later/,
      ],
    },
  });
  t.same((await server.read()).body, unknown.body);
  const refused = await server.put({
    overrides: [
      { hide: { when: { filter: ['colour:red'] } } },
      { hide: { items: ['i001'] } },
      { pin: { item: 'i001', position: 1, when: { context: ['device:tv'] } } },
    ],
  });
  t.match(refused, {
    status: 400,
    body: { code: 'INVALID_REQUEST', detail: /overrides\.0\.hide: .*colour[^]*overrides\.2\.pin: .*device/ },
  });
  t.notMatch(refused.body.detail, /overrides\.1/);
  t.equal((await server.read()).etag, unknown.etag, 'nothing of it is kept');
});

t.test(
  'a bundle that cannot answer an override leaves it out, with one line; the others stay in force',
  async (t) => {
    const models = `${makeLastingFolder(t)}/models`;
    await publishContextBundle(models, { year: 'year', seed: 5 });
    const lines: unknown[] = [];
    const server = await startOverridden(t, models, {
      workers: 0,
      onIneffective: (problems) => void lines.push(problems),
    });
    const [first, second] = await server.ids(HOME);
    const put = await server.put({
      overrides: [
        { hide: { items: [first!] } },
        { hide: { items: [second!], when: { filter: ['year:1990'] } } },
      ],
    });
    t.match(put, { status: 200, body: { ineffective: [] } });
    await server.ids(HOME);
    t.same(lines, []);
    await publishContextBundle(models, { year: 'released', seed: 6 });
    await server.reload();
    for (let at = 0; at < 3; at++)
      t.notOk((await server.ids(HOME)).includes(first!), 'the other is in force');
    t.match(lines, [[/^overrides\.1\.hide: .*year/]], 'one line');
    t.equal(lines.length, 1);
    t.match((await server.read()).body.ineffective, [/^overrides\.1\.hide: .*year/]);
  },
);

t.test('a wrong file is shown, and what was in force stays', async (t) => {
  const server = await startOverridden(t, registry, { pollMs: 100, workers: 0 });
  const [first] = await server.ids(HOME);
  const { etag } = await server.put({ overrides: [{ hide: { items: [first!] } }] });
  writeFileSync(server.file, 'overrides: [{ hide: { items: [1] } }, { pin: {} }]\n');
  await until(() => server.store.problems().length > 0);
  const read = await server.read();
  t.match(read, {
    etag,
    body: {
      problems: [
        /overrides\.0\.hide\.items\.0 is 1/,
        /overrides\.1\.pin\.item is missing/,
        /overrides\.1\.pin\.position is missing/,
      ],
    },
  });
  t.notOk((await server.ids(HOME)).includes(first!));
  t.match(await server.put({ overrides: [] }, etag!), { status: 412, body: { code: 'OVERRIDES_CHANGED' } });
  t.match(await server.put({ overrides: [] }, '*'), { status: 200, body: { problems: [] } });
});
