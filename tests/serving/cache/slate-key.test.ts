import t from 'tap';
import type { RuleEntry } from '../../../src/config/rule-config.js';
import { createRuleBook } from '../../../src/rules/rule-book.js';
import { bindRules } from '../../../src/rules/bind-rules.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { LiveHistory } from '../../../src/domain/history.js';
import { packError } from '../../../src/domain/packed-error.js';
import { NOBODY } from '../../../src/domain/subject.js';
import { openEngine } from '../../../src/engine/open-engine.js';
import type { Prefetched } from '../../../src/pipeline/execution.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { createContextReader } from '../../../src/pipeline/read-context.js';
import { createSlateKeys } from '../../../src/serving/cache/slate-key.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir({}));
const engine = await openEngine(folder, SCENARIOS);
const keyOf = createSlateKeys(SCENARIOS);
const request: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'home',
  limit: 5,
  exclude: ['i001', 'i002'],
  filters: [
    { attribute: 'genres', value: 'sport' },
    { attribute: 'genres', value: 'news' },
  ],
  explain: 'none',
};
const row = { values: Float32Array.of(1, 2), statuses: Uint8Array.of(0, 0) };

const LIVE: LiveHistory = {
  items: Int32Array.of(2),
  timestamps: Float64Array.of(5),
  values: Float32Array.of(1),
  negative: Uint8Array.of(0),
};

t.test('order and repetition make no difference', async (t) => {
  const exclude = ['i002', 'i001', 'i002'];
  t.equal(
    keyOf({ ...request, exclude, filters: [...request.filters].reverse() }, engine),
    keyOf(request, engine),
  );
  const fields = ['title', 'year'];
  t.equal(
    keyOf({ ...request, fields: ['year', 'title', 'year'] }, engine),
    keyOf({ ...request, fields }, engine),
  );
});

t.test('all that the answer depends on does', async (t) => {
  const userRows = { rows: new Map([['users', row]]) };
  const other = { ...row, values: Float32Array.of(1, 3) };
  const changes: Partial<RecommendationRequest>[] = [
    {},
    { subject: { userId: 'u4' } },
    { subject: { itemId: 'u3' } },
    { subject: NOBODY },
    { scenario: 'popular' },
    { limit: 6 },
    { exclude: ['i001'] },
    { filters: [] },
    { explain: 'sources' },
    { subject: { sessionId: 'u3' } },
    { sessionItems: ['i001'] },
    { candidates: ['i001'] },
    { shown: [1, 2] },
    // It is in the cursor of the next page in this order.
    { shown: [2, 1] },
    { fields: [] },
    { fields: ['title'] },
    { fields: ['title', 'year'] },
    { filters: [{ attribute: 'genres', value: '!sport' }] },
  ];
  const keys = changes.map((change) => keyOf({ ...request, ...change }, engine));
  const prefetched: Prefetched[] = [
    { userRows },
    { userRows: { rows: new Map([['users', other]]) } },
    { userRows: { ...userRows, failedViews: new Set(['users']) } },
    { live: LIVE },
    { live: { ...LIVE, items: Int32Array.of(3) } },
    { live: { ...LIVE, negative: Uint8Array.of(1) } },
    { liveFailure: packError(new ShortlistError('HISTORY_FAILED', 'away')) },
  ];
  keys.push(...prefetched.map((each) => keyOf(request, engine, each)));
  const manifest = { ...engine.manifest, version: '20260202T030405Z-00000000' };
  keys.push(keyOf(request, { ...engine, manifest }));
  keys.push(createSlateKeys(new Map([...SCENARIOS].slice(1)))(request, engine));
  t.equal(new Set(keys).size, keys.length);
});

t.test('the hour of the time zone does where the bundle goes by it, however it is said', async (t) => {
  const readContext = createContextReader({
    timeZone: 'Asia/Kolkata',
    fields: [{ name: 'hour', type: 'hour' }],
  });
  const at = (now: number, hour?: string): string =>
    keyOf(
      { ...request, ...(hour !== undefined && { context: [{ field: 'hour', value: hour }] }) },
      { ...engine, readContext, clock: () => now },
    );
  t.equal(at(0), at(1799), '05:30 and 05:59:59');
  t.not(at(0), at(1800), '06:00');
  t.equal(at(0), at(1800, '5'));
  t.throws(() => at(0, 'noon'), { code: 'INVALID_REQUEST' });
});

t.test('a rule that begins or ends makes another name', async (t) => {
  const from = '1970-01-01T01:00:00Z';
  const rules: RuleEntry[] = [
    { pin: { item: 'i001', position: 1, from, until: '1970-01-01T02:00:00Z' } },
    { hide: { items: ['i002'], from: '1970-01-01T03:00:00Z' } },
  ];
  const bound = bindRules(rules, { catalogue: engine.catalogue }).rules;
  const at = (now: number): string =>
    keyOf(request, {
      ...engine,
      rules: createRuleBook(new Map([[request.scenario, bound]]), { catalogue: engine.catalogue }),
      clock: () => now,
    });
  const hours = [0, 1, 2, 3].map((hour) => at(hour * 3600));
  t.equal(new Set(hours).size, 3, 'before the first and after it nothing is in force');
  t.equal(hours[0], hours[2]);
  t.equal(at(0), at(3599));
  t.not(at(3599), at(3600));
});
