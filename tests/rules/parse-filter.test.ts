import fc from 'fast-check';
import t from 'tap';
import { FILTER_PATTERNS } from '../../src/rules/filter-patterns.js';
import {
  type FilterKind,
  isChoice,
  parseFilterValue,
  quoteFilterValue,
} from '../../src/rules/parse-filter.js';

const DAY = 86_400;
const START = Date.UTC(2024, 0, 31) / 1000;

/** A condition in a few characters: `[1,2)` for an interval, `=x` for a text, `*` for any value, after `!` where it is negated. */
function write(value: string, kind: FilterKind): string {
  const parsed = parseFilterValue(value, kind);
  if (parsed === undefined) return 'refused';
  const { condition, isNegated } = parsed;
  const sign = isNegated ? '!' : '';
  if (condition.test === 'present') return `${sign}*`;
  if (condition.test === 'equal') return `${sign}=${condition.text}`;
  const { least, most, isAbove, isBelow } = condition;
  return `${sign}${isAbove ? '(' : '['}${least},${most}${isBelow ? ')' : ']'}`;
}

const CASES: readonly [kind: FilterKind, value: string, expected: string][] = [
  ['number', '2000', '[2000,2000]'],
  ['number', '2000.0', '[2000,2000]'],
  ['number', '"2000"', '[2000,2000]'],
  ['number', '-0.5', '[-0.5,-0.5]'],
  ['number', '1e+21', '[1e+21,1e+21]'],
  ['number', '<20', '[-Infinity,20)'],
  ['number', '<=20', '[-Infinity,20]'],
  ['number', '>20', '(20,Infinity]'],
  ['number', '>=-20.25', '[-20.25,Infinity]'],
  ['number', '!<20', '![-Infinity,20)'],
  ['number', '1990..2000', '[1990,2000]'],
  ['number', '2000..1990', '[1990,2000]'],
  ['number', '-2..-1', '[-2,-1]'],
  ['number', '1990..', '[1990,Infinity]'],
  ['number', '..2000', '[-Infinity,2000]'],
  ['number', '!1990..2000', '![1990,2000]'],
  ['number', '*', '*'],
  ['number', '!*', '!*'],
  ...[
    '',
    '!',
    '!!5',
    'cheap',
    '<cheap',
    '<',
    '<>5',
    '< 5',
    '5 ',
    '+5',
    '.5',
    '5.',
    '0x10',
    'NaN',
    '1e999',
    '-1e999',
  ].map((value) => ['number', value, 'refused'] as [FilterKind, string, string]),
  ...[
    'Infinity',
    '1_000',
    '1,5',
    '٣',
    '..',
    '1...2',
    '1..2..3',
    '1..x',
    '"',
    '""',
    '<"5"',
    '>=2000-01-01',
    '**',
  ].map((value) => ['number', value, 'refused'] as [FilterKind, string, string]),
  ['boolean', 'true', '=true'],
  ['boolean', '!false', '!=false'],
  ['boolean', '"true"', '=true'],
  ['boolean', '*', '*'],
  ...['1', '0', 'TRUE', 'yes', '>true', 'true..false', '', 'true ', '!!true', '"true'].map(
    (value) => ['boolean', value, 'refused'] as [FilterKind, string, string],
  ),
  ['text', 'Horror', '=Horror'],
  ['text', 'Sci-Fi: Classic', '=Sci-Fi: Classic'],
  ['text', '!Horror', '!=Horror'],
  ['text', '"<3"', '=<3'],
  ['text', '"!x"', '=!x'],
  ['text', '!"!x"', '!=!x'],
  ['text', '"*"', '=*'],
  ['text', '""', '='],
  ['text', '""a""', '="a"'],
  ['text', '"', '="'],
  ['text', '"Weird Al" Yankovic', '="Weird Al" Yankovic'],
  ['text', '*', '*'],
  ['text', '!*', '!*'],
  ['text', '**', '=**'],
  ['text', ' x ', '= x '],
  ['text', 'wait...', '=wait...'],
  ['text', '..', '=..'],
  ['text', '5..', '=5..'],
  ['text', '"1990..2000"', '=1990..2000'],
  ['text', '2000', '=2000'],
  ['text', '日本', '=日本'],
  ['text', '__proto__', '=__proto__'],
  ...['', '!', '!!x', '<3', '>=2000', '>', '1990..2000', '2024-01-01..2024-02-01'].map(
    (value) => ['text', value, 'refused'] as [FilterKind, string, string],
  ),
  ['date', '2024-01-31', '=2024-01-31'],
  ['date', 'soon', '=soon'],
  ['date', '>=2024-01-31', `[${START},Infinity]`],
  ['date', '>2024-01-31', `[${START + DAY},Infinity]`],
  ['date', '<2024-01-31', `[-Infinity,${START})`],
  ['date', '<=2024-01-31', `[-Infinity,${START + DAY})`],
  ['date', '2024-01-31..2024-02-01', `[${START},${START + 2 * DAY})`],
  ['date', '2024-02-01..2024-01-31', `[${START},${START + 2 * DAY})`],
  ['date', '2024-01-31..', `[${START},Infinity]`],
  ['date', '..2024-01-31', `[-Infinity,${START + DAY})`],
  ['date', '>2024-01-31T00:00:00Z', `(${START},Infinity]`],
  ['date', '<=2024-01-31 01:00+01:00', `[-Infinity,${START}]`],
  ['date', '!<2024-01-31', `![-Infinity,${START})`],
  ['date', '*', '*'],
  ...['', '>=2024', '>=31.01.2024', '<2024-02-30', '<tomorrow', '>=1706659200', '1..2'].map(
    (value) => ['date', value, 'refused'] as [FilterKind, string, string],
  ),
];

for (const [kind, value, expected] of CASES) {
  t.test(`${kind}: ${value} is ${expected}`, async (t) => {
    t.equal(write(value, kind), expected);
  });
}

t.test('values and ranges are choices; bounds, `*` and what is negated are not', async (t) => {
  for (const value of ['x', '1', '1..2', '..2', '"!x"', '**']) t.equal(isChoice(value), true, value);
  for (const value of ['*', '!x', '!1..2', '<1', '>=1']) t.equal(isChoice(value), false, value);
});

t.test('every text can be asked for: quoted where it begins as an operator does', async (t) => {
  for (const text of ['Horror', '2000', 'wait...', 'true']) t.equal(quoteFilterValue(text), text);
  t.equal(quoteFilterValue('<3'), '"<3"');
  t.equal(quoteFilterValue('*'), '"*"');
  t.equal(quoteFilterValue('"a"'), '""a""');
  t.equal(quoteFilterValue('1..2'), '"1..2"');
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('!', '<', '>', '=', '*', '"', '.', '1', 'a') }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const kind of ['text', 'date'] as const)
        if (write(quoteFilterValue(text), kind) !== `=${text}`) throw new Error(quoteFilterValue(text));
      return write(`!${quoteFilterValue(text)}`, 'text') === `!=${text}`;
    }),
    { numRuns: 2000 },
  );
});

t.test('what the patterns of the document allow is taken, and what they do not is refused', async (t) => {
  for (const [kind, value, expected] of CASES) {
    // A text that looks like a range is beyond patterns.
    if (/^1\.\.2$|^1990\.\.2000$|^2024-01-01\.\.2024-02-01$/.test(value) && expected === 'refused') continue;
    const isAllowed = new RegExp(`^(${FILTER_PATTERNS[kind]})$`, 'u').test(value);
    t.equal(isAllowed, expected !== 'refused', `${kind}: ${value}`);
  }
  for (const [kind, pattern] of Object.entries(FILTER_PATTERNS) as [FilterKind, string][]) {
    const isRange = /^!?[-\d.eE+]+\.\.[-\d.eE+]+$/;
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(`^${pattern}$`)), (value) => {
        return write(value, kind) !== 'refused' || (kind !== 'number' && isRange.test(value));
      }),
      { numRuns: 1000 },
    );
  }
});

t.test('a document and the server agree on whatever text is written', async () => {
  const piece = fc.constantFrom(
    ...['!', '<', '>', '=', '*', '"', '.', '..', '-', ':', '+', 'e', 'T', 'Z', ' ', '0', '1', '9', '30'],
    ...['true', 'false', 'x', 'ä', '日', '2024-02-29', '2023-02-29', '2024-13-01', '12:30', '1.5'],
  );
  const texts = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const isRange = /^!?[-\d.eE+]+\.\.[-\d.eE+]+$|^!?[-\d:TZ +.]*\.\.[-\d:TZ +.]*$/;
  fc.assert(
    fc.property(texts, fc.constantFrom<FilterKind>('number', 'date', 'boolean', 'text'), (value, kind) => {
      const isAllowed = new RegExp(`^(${FILTER_PATTERNS[kind]})$`, 'u').test(value);
      const isTaken = write(value, kind) !== 'refused';
      if (isAllowed === isTaken || (kind !== 'number' && isRange.test(value))) return;
      throw new Error(`${kind} ${value}: allowed ${isAllowed}, taken ${isTaken}`);
    }),
    { numRuns: 20_000 },
  );
});
