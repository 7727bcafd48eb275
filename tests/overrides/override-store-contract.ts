import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import type { OverridesDocument } from '../../src/config/override-config.js';
import type { OverridesObserver, OverrideStore } from '../../src/overrides/override-store.js';

export const POLL_MS = 100;
export const SCENARIOS = ['home', 'popular', 'similar'];

/** A document that hides one item. */
export const hiding = (...items: string[]): OverridesDocument => ({ overrides: [{ hide: { items } }] });

/** Opens a store over one place; each call is another process of it. */
export type OpenOverrides = (
  observer?: Partial<OverridesObserver>,
  options?: { isStrict?: boolean },
) => Promise<OverrideStore>;

/** A place for a document, and how to break it. */
export interface OverridesPlace {
  readonly open: OpenOverrides;
  /** Writes this text where the document is, beside the store. */
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** Texts that are no document, and what is said of each. */
export const WRONG: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['is empty', '', /is empty, allowed is `overrides: \[\]`/],
  ['is too large', `# ${'x'.repeat(1_048_576)}\noverrides: []\n`, /has 10485\d\d bytes, allowed are 1048576/],
  ['is no YAML', 'overrides: [', /flow/i],
  ['is a list', '- hide: { items: ["1"] }', /the top level must be a mapping/],
  ['has no overrides', 'why: spring', /overrides is missing/],
  ['has unknown keys', 'overrides: []\noverride: []', /override is unknown; known are why, overrides/],
  [
    'has a rule that is no override',
    'overrides: [{ cap: { attribute: brand, most: 2, in: 10 } }]',
    /overrides\.0 is .*allowed is one of hide, pin, boost/,
  ],
  [
    'has two rules in one',
    'overrides: [{ hide: { items: ["1"] }, pin: { item: "1", position: 1 } }]',
    /overrides\.0 is .*allowed is one of/,
  ],
  [
    'names an unknown scenario',
    'overrides: [{ hide: { items: ["1"], when: { scenario: [hom] } } }]',
    /overrides\.0\.hide\.when\.scenario\.0 is "hom", which is unknown; known are home, popular, similar/,
  ],
  [
    'has ids that are numbers',
    'overrides: [{ hide: { items: [1] } }]',
    /overrides\.0\.hide\.items\.0 is 1, allowed is .*quotation marks/,
  ],
  ['hides nothing', 'overrides: [{ hide: {} }]', /overrides\.0\.hide names no items/],
  [
    'has from after until',
    'overrides: [{ pin: { item: a, position: 1, from: "2026-03-02T00:00:00Z", until: "2026-03-01T00:00:00Z" } }]',
    /overrides\.0\.pin\.from is .* allowed is a time before until/,
  ],
  [
    'has from after until in another zone',
    'overrides: [{ pin: { item: a, position: 1, from: "2026-03-01T09:00:00-08:00", until: "2026-03-01T16:59:59Z" } }]',
    /overrides\.0\.pin\.from is .* allowed is a time before until/,
  ],
  [
    'has a time without a zone',
    'overrides: [{ pin: { item: a, position: 1, from: "2026-03-02T00:00:00" } }]',
    /from is .*allowed is a time with its zone/,
  ],
  [
    'has a day that is none',
    'overrides: [{ pin: { item: a, position: 1, from: "2026-02-30T00:00:00Z" } }]',
    /from is .*no time of the calendar/,
  ],
  ['has a reason that is none', 'overrides: [{ hide: { items: ["1"] }, why: 7 }]', /overrides\.0: why is 7/],
  [
    'has 101 filters',
    JSON.stringify({
      overrides: Array.from({ length: 101 }, (_, at) => ({ hide: { when: { filter: [`year:${at}`] } } })),
    }),
    /have 101 different when\.filter, allowed are 100/,
  ],
  [
    'has 1,001 entries',
    JSON.stringify({ overrides: Array.from({ length: 1001 }, () => hiding('a').overrides[0]) }),
    /has 1001 entries, allowed are 1000/,
  ],
];

/** Waits until something is true, or says what it was in vain. */
export async function until(isTrue: () => boolean, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!isTrue() && performance.now() < end) await wait(5);
}

/** What holds for every store of overrides. @param begin gives a new, empty place */
export function testOverrideStore(t: Test, name: string, begin: (t: Test) => Promise<OverridesPlace>): void {
  t.test(`${name}: there are no overrides where there is no document`, async (t) => {
    const { open } = await begin(t);
    const store = await open();
    t.match(store.current(), { version: 'none', document: { overrides: [] } });
    t.same(store.problems(), []);
  });

  t.test(
    `${name}: a document that one process puts is in force there at once, and in another within pollMs`,
    async (t) => {
      const { open } = await begin(t);
      const [one, other] = [await open(), await open()];
      const document: OverridesDocument = {
        why: 'spring: "a" \u2014 #1',
        overrides: [
          { hide: { items: ['1', 'yes', '2026-01-01', ' b', '\ud800', '\u0000'] }, why: 'sold out' },
          { pin: { item: '50', position: 2, when: { scenario: ['home'] } } },
          { boost: { strength: -0.25, when: { filter: ['genres:War'] } } },
        ],
      };
      const { before, after } = await one.replace(document, { ifMatch: ['none'] });
      t.equal(before, 'none');
      t.same(after.document, document);
      t.same(one.current(), after);
      const putAt = performance.now();
      await until(() => other.current().version === after.version);
      t.same(other.current(), after, 'word for word, whatever the words are');
      const tookMs = performance.now() - putAt;
      t.ok(tookMs < 3 * POLL_MS, `${tookMs} ms, at ${POLL_MS} ms a poll on a busy machine`);
      const again = await open();
      t.same(again.current(), after, 'and in one that starts later');
    },
  );

  t.test(`${name}: of two puts at once with one If-Match one loses, and nothing of it is kept`, async (t) => {
    const { open } = await begin(t);
    const [one, other] = [await open(), await open()];
    const puts = await Promise.allSettled([
      one.replace(hiding('a'), { ifMatch: ['none'] }),
      other.replace(hiding('b'), { ifMatch: ['none'] }),
    ]);
    const won = puts.flatMap((put) => (put.status === 'fulfilled' ? [put.value.after] : []));
    t.equal(won.length, 1);
    t.match(
      puts.find(({ status }) => status === 'rejected'),
      {
        reason: { code: 'OVERRIDES_CHANGED', message: new RegExp(`"${won[0]!.version}".*"none"`) },
      },
    );
    await until(() => one.current().version === other.current().version);
    t.same([one.current(), other.current()], [won[0], won[0]]);
  });

  t.test(`${name}: any version takes the place of another with *, and one of several`, async (t) => {
    const { open } = await begin(t);
    const store = await open();
    const first = (await store.replace(hiding('a'), { ifMatch: '*' })).after;
    const second = await store.replace(hiding('b'), { ifMatch: ['none', first.version] });
    t.equal(second.before, first.version);
    for (const ifMatch of [[], ['*'], ['any']])
      await t.rejects(store.replace(hiding('c'), { ifMatch }), { code: 'OVERRIDES_CHANGED' });
    await t.rejects(store.replace(hiding('c'), { ifMatch: [first.version] }), { code: 'OVERRIDES_CHANGED' });
    t.same(store.current().document, hiding('b'));
  });

  t.test(`${name}: what says the same is of the same version, and the same object`, async (t) => {
    const { open } = await begin(t);
    const changes: string[] = [];
    const store = await open({ changed: ({ version }) => void changes.push(version) });
    await store.replace(hiding('a'), { ifMatch: '*' });
    const before = store.current();
    await store.replace(hiding('a'), { ifMatch: '*' });
    t.equal(store.current(), before);
    t.equal(changes.length, 1);
  });

  t.test(`${name}: without the document there are no overrides any more`, async (t) => {
    const { open, remove } = await begin(t);
    const store = await open();
    await store.replace(hiding('a'), { ifMatch: '*' });
    await remove();
    await until(() => store.current().version === 'none');
    t.same(store.current().document.overrides, []);
    t.same(store.problems(), []);
  });

  t.test(
    `${name}: a wrong document leaves the one of before in force, until a right one is there`,
    async (t) => {
      const { open, write } = await begin(t);
      const met: (readonly string[])[] = [];
      const store = await open({ met: (problems) => void met.push(problems) });
      const { after } = await store.replace(hiding('a'), { ifMatch: '*' });
      for (const [what, text, says] of WRONG) {
        const count = met.length;
        await write(text);
        await until(() => met.length > count);
        t.match(store.problems().join('\n'), says, `one that ${what} is told of`);
        t.equal(met.length, count + 1, `one that ${what} is told of once`);
        t.equal(store.current().version, after.version);
        await t.rejects(
          store.replace(hiding('b'), { ifMatch: [after.version] }),
          { code: 'OVERRIDES_CHANGED' },
          'nobody puts theirs over what somebody else is writing',
        );
      }
      await store.replace(hiding('b'), { ifMatch: '*' });
      t.same(store.problems(), []);
      t.same(met.at(-1), [], 'and it is told that all is well again');
      t.same(store.current().document, hiding('b'));
    },
  );

  t.test(`${name}: a wrong document keeps a server from starting, with all problems`, async (t) => {
    const { open, write } = await begin(t);
    for (const [what, text, says] of WRONG) {
      await write(text);
      await t.rejects(open({}, { isStrict: true }), { code: 'INVALID_CONFIG', message: says }, what);
    }
    await write('overrides: [{ hide: {} }, { pin: { item: a } }]');
    const refused: unknown = await open({}, { isStrict: true }).catch((error: unknown) => error);
    t.match(refused, {
      problems: [/overrides\.0\.hide names no items/, /overrides\.1\.pin\.position is missing/],
    });
  });

  t.test(`${name}: a process of a group that finds a wrong document has what the others have`, async (t) => {
    const { open, write } = await begin(t);
    const old = await open();
    await old.replace(hiding('a'), { ifMatch: '*' });
    await write('overrides: [');
    const young = await open({}, { isStrict: false });
    t.equal(young.current().version, 'none');
    young.adopt(old.current());
    t.same(young.current().document, hiding('a'));
    t.equal(young.problems().length, 1);
    await young.replace(hiding('b'), { ifMatch: '*' });
    young.adopt(old.current());
    t.same(young.current().document, hiding('b'), 'what was read counts more');
  });
}
