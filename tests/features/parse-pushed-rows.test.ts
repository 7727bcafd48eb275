import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { parsePushedLines, parsePushedRows } from '../../src/features/parse-pushed-rows.js';
import { USERS } from '../support/redis-view.js';

const OPTIONS = { view: USERS, now: 500, firstLine: 1 };

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'INVALID_REQUEST') return error.problems;
    throw error;
  }
  return [];
}

function problemsOfLines(text: string): readonly string[] {
  return problemsOf(() => parsePushedLines(text.split('\n'), OPTIONS));
}

t.test('rows are read one per line, with their time as seconds, as a date, or now', async (t) => {
  const lines = [
    '{"id": "a", "eventTime": 7.5, "values": {"age": 31.5, "premium": true, "country": "uk"}}',
    '',
    '{"id": "b", "eventTime": "1970-01-01T00:01:00Z", "values": {"premium": false, "age": null}}',
    '{"id": "c", "values": {}}',
  ];
  t.strictSame(parsePushedLines(lines, OPTIONS), [
    { id: 'a', eventTime: 7.5, values: Float64Array.of(31.5, 1, 1) },
    { id: 'b', eventTime: 60, values: Float64Array.of(Number.NaN, 0, Number.NaN) },
    { id: 'c', eventTime: 500, values: new Float64Array(3).fill(Number.NaN) },
  ]);
});

t.test('ids are text or whole numbers, by one rule on both ways in', async (t) => {
  const cases: [json: string, id: string | RegExp][] = [
    ['"u1"', 'u1'],
    ['"42"', '42'],
    ['"042"', '042'],
    ['42', '42'],
    ['42.0', '42'],
    ['1e3', '1000'],
    ['-7', '-7'],
    ['-0', '0'],
    ['0', '0'],
    ['9007199254740991', '9007199254740991'],
    ['9007199254740993', /may be another id, rounded/],
    ['-9007199254740993', /may be another id, rounded/],
    ['9.06e+17', /may be another id, rounded/],
    ['1.5', /id is 1\.5, allowed is text that is not empty, or a whole number/],
    ['1e999', /allowed is text/],
    ['""', /allowed is text/],
    ['"\\ud800"', /allowed is text/],
    ['true', /allowed is text/],
    ['null', /allowed is text/],
    ['["u1"]', /allowed is text/],
    ['{"id": "u1"}', /allowed is text/],
  ];
  for (const [json, expected] of cases) {
    const line = `{"id": ${json}, "values": {}}`;
    for (const parse of [
      () => parsePushedLines([line], OPTIONS),
      () => parsePushedRows([JSON.parse(line)], OPTIONS),
    ]) {
      if (typeof expected === 'string') t.equal(parse()[0]!.id, expected, json);
      else t.match(problemsOf(parse), [expected], json);
    }
  }
});

t.test('every problem of every line is listed', async (t) => {
  t.strictSame(
    problemsOfLines(
      [
        '{"id": "a", "eventTime": "soon", "values": {"age": "31", "premium": 1, "country": "de", "height": 2}}',
        '{"id": "", "value": {}}',
        '{"id": "\\ud800", "eventTime": true, "values": {"age": 1e39}}',
        '[1]',
      ].join('\n'),
    ),
    [
      'line 1: eventTime is "soon", allowed is Unix seconds or ISO 8601',
      'line 1: there is no field height; there are age, premium, country',
      'line 1: age is "31", allowed is a number that float32 holds',
      'line 1: premium is 1, allowed is true or false',
      'line 1: country is "de", allowed is one of fr, uk',
      'line 2: value is unknown; known are id, eventTime, values',
      'line 2: id is "", allowed is text that is not empty, or a whole number',
      'line 2: values is not an object of fields',
      'line 3: id is "\\ud800", allowed is text that is not empty, or a whole number',
      'line 3: eventTime is true, allowed is Unix seconds or ISO 8601',
      'line 3: age is 1e+39, allowed is a number that float32 holds',
      'line 4: it is not a JSON object',
    ],
  );
  t.match(problemsOfLines('{'), [/^line 1: it is not JSON: /]);
});

t.test('a time is ISO 8601, UTC where no zone is named, or Unix seconds before the year 10000', async (t) => {
  const parse = (eventTime: unknown) => parsePushedRows([{ id: 'a', eventTime, values: {} }], OPTIONS);
  for (const [given, seconds] of [
    ['1970-01-02', 86_400],
    ['1970-01-01T00:01', 60],
    ['1970-01-01 00:01:00.5', 60.5],
    ['1970-01-01T01:01:00+01:00', 60],
    ['1970-01-01T00:01:00z', 60],
    [253_402_300_799, 253_402_300_799],
    [-86_400, -86_400],
  ]) {
    t.equal(parse(given)[0]!.eventTime, seconds, String(given));
  }
  const wrong = [
    '02/01/2024',
    '5',
    '2024',
    '2024-13-01',
    '2024-02-30',
    '2024-01-02T25:00',
    1_767_225_600_000,
    -1e15,
  ];
  for (const given of wrong) {
    t.strictSame(
      problemsOf(() => parse(given)),
      [`rows/0: eventTime is ${JSON.stringify(given)}, allowed is Unix seconds or ISO 8601`],
    );
  }
});

t.test('of a category with many values, some are named', async (t) => {
  const dictionary = Array.from({ length: 25 }, (_, place) => `c${place}`);
  const view = { ...USERS, fields: [{ name: 'country', type: 'category' as const, default: 0, dictionary }] };
  t.strictSame(
    problemsOf(() => parsePushedRows([{ id: 'a', values: { country: 'xx' } }], { view, now: 5 })),
    [
      `rows/0: country is "xx", allowed is one of ${dictionary.slice(0, 20).join(', ')} and 5 more that the bundle knows`,
    ],
  );
});

t.test('integers keep 32 bits, and vectors have as many numbers as the view says', async (t) => {
  const view = {
    ...USERS,
    fields: [
      { name: 'level', type: 'int32' as const, default: 0 },
      { name: 'taste', type: 'vector' as const, length: 2, default: 0 },
    ],
  };
  const rows = [
    { id: 'a', values: { level: -2_147_483_648, taste: [0.5, -1] } },
    { id: 'b', values: { taste: null } },
  ];
  t.strictSame(
    parsePushedRows(rows, { view, now: 5 }).map(({ values }) => [...(values as Float64Array)]),
    [
      [-2_147_483_648, 0.5, -1],
      [Number.NaN, Number.NaN, Number.NaN],
    ],
  );
  const wrong = [
    { id: 'a', values: { level: 2_147_483_648, taste: [1] } },
    { id: 'b', values: { level: 0.5, taste: [1, '2'] } },
    7,
  ];
  const expected = [
    'rows/0: level is 2147483648, allowed is an integer that int32 holds',
    'rows/0: taste is [1], allowed is 2 numbers that float32 holds',
    'rows/1: level is 0.5, allowed is an integer that int32 holds',
    'rows/1: taste is [1,"2"], allowed is 2 numbers that float32 holds',
    'rows/2: it is not a JSON object',
  ];
  t.strictSame(
    problemsOf(() => parsePushedRows(wrong, { view, now: 5 })),
    expected,
  );
});
