import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import t from 'tap';
import { parseEvents } from '../../src/events/parse-events.js';
import { EventsBody } from '../../src/http/schemas/events.js';

const NOW = Date.parse('2026-01-02T03:04:05Z') / 1000;
const OPTIONS = { now: NOW, maxAgeDays: 30 };
const DAY = 86_400;
const CLICK = { userId: '42', itemId: '318', type: 'click' };

const parse = (...given: unknown[]) => parseEvents(given, OPTIONS);

/** What is wrong with a click that has these changes; undefined where nothing is. */
const problemOf = (changes: object): string | undefined => parse({ ...CLICK, ...changes }).refused[0]?.detail;

t.test('an event is read with all that it says, and with its arrival where it says no time', async (t) => {
  const whole = {
    eventId: '9f2',
    userId: '42',
    sessionId: 'v-17',
    itemId: '318',
    type: 'click',
    value: 1.5,
    slateId: 'kq3Zb0VYTzWJx5uQ7l2n9A',
    context: { device: 'mobile', visits: 3, member: true },
  };
  t.same(
    parse({ ...whole, timestamp: '2026-01-02T03:04:00.5Z' }, CLICK, { ...CLICK, timestamp: NOW - 1.25 }),
    {
      events: [
        { ...whole, time: NOW - 4.5 },
        { ...CLICK, time: NOW },
        { ...CLICK, time: NOW - 1.25 },
      ],
      refused: [],
    },
  );
});

t.test(
  'a bad event is refused by its place, with everything that is wrong, and takes no other along',
  async (t) => {
    const { events, refused } = parse(CLICK, { type: 'Click', user: 1 }, CLICK, 7, [CLICK], null);
    t.equal(events.length, 2);
    t.same(refused, [
      {
        index: 1,
        detail:
          '"user" is not a key of an event; known are eventId, userId, sessionId, itemId, type, value, slateId, context, timestamp; ' +
          'type is "Click", allowed is 1 to 64 lower-case letters, digits, - and _, a letter first; itemId is missing; ' +
          'userId and sessionId are missing, and at least one of them has to be there',
      },
      { index: 3, detail: 'it is not a JSON object' },
      { index: 4, detail: 'it is not a JSON object' },
      { index: 5, detail: 'it is not a JSON object' },
    ]);
  },
);

t.test('times that are not about now are refused, each with what is allowed', async (t) => {
  const taken = [NOW + 60, NOW - 30 * DAY, '2026-01-02', '2026-01-02 03:04', '2026-01-02T05:04:05+02:00'];
  for (const timestamp of taken) t.equal(problemOf({ timestamp }), undefined, String(timestamp));
  const table: [unknown, string][] = [
    [NOW + 61, 'allowed is at most 60 s ahead of now, 2026-01-02T03:04:05.000Z'],
    ['2100-01-01T00:00:00Z', 'timestamp is "2100-01-01T00:00:00Z", allowed is at most 60 s ahead'],
    ['2026-01-02T05:04:05', 'a time without a zone is UTC'],
    [NOW - 30 * DAY - 1, 'allowed is at most 30 days ago'],
    ['1970-01-01T00:00:00Z', 'timestamp is "1970-01-01T00:00:00Z", allowed is at most 30 days ago'],
    [0, 'timestamp is 0, allowed is at most 30 days ago'],
    [-1, 'allowed is at most 30 days ago'],
    [NOW * 1000, 'allowed is Unix seconds, and this looks like milliseconds'],
    [Infinity, 'allowed is ISO 8601, or a number of Unix seconds'],
    ['soon', 'allowed is ISO 8601, or a number of Unix seconds'],
    [String(NOW), 'allowed is ISO 8601, or a number of Unix seconds'],
    ['2026-02-30T00:00:00Z', 'allowed is ISO 8601, or a number of Unix seconds'],
    ['Fri, 02 Jan 2026 03:04:05 GMT', 'allowed is ISO 8601, or a number of Unix seconds'],
    [null, 'timestamp is null, allowed is ISO 8601'],
    [{}, 'timestamp is {}, allowed is ISO 8601'],
    [true, 'timestamp is true, allowed is ISO 8601'],
  ];
  for (const [timestamp, problem] of table) t.match(problemOf({ timestamp }), problem, String(timestamp));
});

t.test(
  'after a clock went back an hour, what a right clock says is ahead; without a time it is taken',
  async (t) => {
    const back = { now: NOW - 3600, maxAgeDays: 30 };
    t.match(
      parseEvents([{ ...CLICK, timestamp: NOW }], back).refused[0]?.detail,
      /ahead of now, 2026-01-02T02:04:05/,
    );
    t.same(parseEvents([CLICK], back).events, [{ ...CLICK, time: NOW - 3600 }]);
  },
);

t.test('ids are as in the rest of the API', async (t) => {
  const good = [
    '__proto__',
    'constructor',
    `o'hara "x"`,
    'ünï/cödé ?#',
    '1',
    ' 1 ',
    '\u{1f600}'.repeat(256),
    "'; DROP TABLE events; --",
  ];
  const bad = [
    '',
    ' ',
    '\u00a0\u3000',
    '\u200b\u2060',
    'a\nb',
    'a\u0000',
    '\u009b',
    'x'.repeat(257),
    '\ud800',
    'a\udc00b',
    7,
    null,
    true,
    ['42'],
    { id: '42' },
  ];
  for (const name of ['userId', 'sessionId', 'itemId']) {
    for (const id of good) t.equal(problemOf({ [name]: id }), undefined, `${name} ${id.slice(0, 20)}`);
    for (const id of bad) {
      t.match(problemOf({ [name]: id }), `${name} is `, `${name} ${JSON.stringify(id).slice(0, 20)}`);
    }
  }
});

t.test('the other fields have their rules too', async (t) => {
  const good: object[] = [
    { eventId: '!'.repeat(128) },
    { type: 'a'.repeat(64) },
    { type: 'add-to_cart2' },
    { value: 0 },
    { value: -1e308 },
    { context: {} },
    { context: { constructor: 'x', hour: 3 } },
  ];
  for (const changes of good) t.equal(problemOf(changes), undefined, JSON.stringify(changes));
  const bad: object[] = [
    { eventId: '' },
    { eventId: '!'.repeat(129) },
    { eventId: 'a b' },
    { eventId: 'é' },
    { eventId: 'a\n' },
    { eventId: 7 },
    { type: '' },
    { type: 'Click' },
    { type: '1click' },
    { type: 'a'.repeat(65) },
    { type: 'click\n' },
    { type: ['click'] },
    { value: '1' },
    { value: null },
    { value: Infinity },
    { value: NaN },
    { slateId: 'kq3' },
    { slateId: 'kq3Zb0VYTzWJx5uQ7l2n9A\n' },
    { slateId: '6f8f1ae0-9c1c-4f0d-8a63-6d0a5d1f0b77' },
    { context: null },
    { context: [] },
    { context: 'device:mobile' },
    { context: { 'device:os': 'x' } },
    { context: { __proto: 1, _a: 1 } },
    { context: { device: null } },
    { context: { device: ['mobile'] } },
    { context: { device: {} } },
    { context: { device: '' } },
    { context: { device: 'a\nb' } },
    { context: { device: '\ud800' } },
    { context: { visits: Infinity } },
    { context: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`f${index}`, 1])) },
  ];
  for (const changes of bad) t.type(problemOf(changes), 'string', JSON.stringify(changes).slice(0, 60));
});

t.test('what is refused is told in little, however much was sent', async (t) => {
  const keys = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 1]));
  t.match(problemOf(keys), /^"k0", "k1", "k2" and 49997 more are not keys of an event; known are /);
  t.ok(problemOf(keys)!.length < 300);
  t.ok(problemOf({ itemId: 'x'.repeat(1_000_000) })!.length < 300);
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;
  t.match(problemOf({ value: deep }), 'value is a list of lists, too deep to show');
  t.match(problemOf({ context: { a: deep } }), 'context is an object, too deep to show');
  t.match(parse(deep).refused, [{ index: 0, detail: 'it is not a JSON object' }]);
});

t.test('the OpenAPI document says the same of an event as the code', async (t) => {
  const ajv = new Ajv2020({ strict: false });
  const isAllowed = ajv.compile(EventsBody);
  const oddly = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof(
      { weight: 15, arbitrary },
      {
        weight: 1,
        arbitrary: fc.constantFrom<unknown>(
          '',
          ' ',
          '\u200b',
          'x'.repeat(257),
          'a\nb',
          7,
          null,
          true,
          [],
          {},
          ['42'],
        ),
      },
    );
  const id = oddly(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }));
  const event = fc.record(
    {
      eventId: oddly(fc.string({ minLength: 1, maxLength: 130 })),
      userId: id,
      sessionId: id,
      itemId: id,
      type: oddly(fc.stringMatching(/^[a-z][a-z0-9_-]{0,70}$/)),
      value: oddly(fc.double({ noNaN: true, noDefaultInfinity: true })),
      timestamp: oddly(
        fc.constantFrom<unknown>(
          NOW,
          NOW - 5.5,
          '2026-01-02',
          '2026-01-02T03:04:05Z',
          '2026-01-02t03:04:05+00:00',
          '3 Jan',
        ),
      ),
      slateId: oddly(fc.stringMatching(/^[A-Za-z0-9_-]{22}$/)),
      context: oddly(
        fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_:]{0,4}$/), oddly(fc.string({ minLength: 1 }))),
      ),
    },
    { requiredKeys: ['itemId', 'type'] },
  );
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(event, fc.nat({ max: 9 }), (told, isStrange) => {
      const given = JSON.parse(JSON.stringify(isStrange === 0 ? { ...told, other: 1 } : told)) as object;
      const { refused } = parseEvents([given], { now: NOW, maxAgeDays: 100_000 });
      seen[refused.length === 0 ? 'taken' : 'refused']++;
      if (isAllowed({ events: [given] }) !== (refused.length === 0))
        throw new Error(`${JSON.stringify(given)}: ${refused[0]?.detail ?? 'taken'}`);
    }),
    { numRuns: 3000, seed: 20240601 },
  );
  t.ok(seen.taken > 200 && seen.refused > 200, JSON.stringify(seen));
});
