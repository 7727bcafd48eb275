import { SECONDS_PER_DAY } from '../../../domain/time.js';

/** A way to count time other than from 1970 in seconds, milliseconds, microseconds or nanoseconds. */
interface Epoch {
  readonly name: string;
  /** Unix seconds of the count 0: its first year is likelier something else. */
  readonly begins: number;
  /** Unix seconds of a count. */
  readonly toSeconds: (count: number) => number;
  /** SQL of the Unix seconds, `x` standing for the column. */
  readonly sql: string;
}

/** Another way to count that makes numbers likely times. */
export interface GuessedEpoch {
  readonly name: string;
  /** SQL of the Unix seconds, `x` standing for the column. */
  readonly sql: string;
  /** A sentence that says both. */
  readonly says: string;
}

/** Seconds from 1601, 1 and 1904 to 1970. */
const SINCE_1601 = 11_644_473_600;
const SINCE_YEAR_1 = 62_135_596_800;
const SINCE_1904 = 2_082_844_800;
const SINCE_1900 = 2_208_988_800;
/** Seconds from 1970 to 2001. */
const UNTIL_2001 = 978_307_200;

const EPOCHS: readonly Epoch[] = [
  linear('.NET ticks (100 ns since the year 1)', { perSecond: 1e7, since: SINCE_YEAR_1 }),
  linear('FILETIME (100 ns since 1601)', { perSecond: 1e7, since: SINCE_1601 }),
  linear('WebKit times (microseconds since 1601)', { perSecond: 1e6, since: SINCE_1601 }),
  linear('Cocoa times (seconds since 2001)', { perSecond: 1, since: -UNTIL_2001 }),
  linear('Cocoa times (nanoseconds since 2001)', { perSecond: 1e9, since: -UNTIL_2001 }),
  linear('seconds since 1904 (Mac HFS)', { perSecond: 1, since: SINCE_1904 }),
  linear('seconds since 1900 (NTP)', { perSecond: 1, since: SINCE_1900 }),
  linear('100 ns since 1970', { perSecond: 1e7, since: 0 }),
  linear('tenths of milliseconds since 1970', { perSecond: 1e4, since: 0 }),
  linear('hundredths of seconds since 1970', { perSecond: 100, since: 0 }),
  linear('minutes since 1970', { perSecond: 1 / 60, since: 0 }),
  linear('hours since 1970', { perSecond: 1 / 3600, since: 0 }),
  linear('days since 1970', { perSecond: 1 / SECONDS_PER_DAY, since: 0 }),
  days('days of a spreadsheet (Excel serials)', 25_569),
  days('Modified Julian days', 40_587),
  days('Julian days', 2_440_587.5),
  days('days since the year 1 (toordinal)', 719_163),
  {
    name: 'years',
    begins: -Infinity,
    toSeconds: (year) => Date.UTC(year, 0) / 1000,
    sql: 'epoch(make_date(x, 1, 1))',
  },
  {
    name: 'years and months as one number',
    begins: -Infinity,
    toSeconds: (month) => Date.UTC(Math.floor(month / 100), (month % 100) - 1) / 1000,
    sql: 'epoch(make_date(x // 100, x % 100, 1))',
  },
];

const YEAR_SECONDS = 365 * SECONDS_PER_DAY;

/** Before it, hardly anybody logged what people chose, and after now nobody has. */
const EARLIEST_LIKELY = Date.UTC(1995, 0) / 1000;

/**
 * Guesses what the numbers of a column of times count, where they cannot be what they were taken for.
 * @param options.low, options.high two of the numbers, between which most are
 * @param options.latest Unix seconds after which no time is likely
 * @returns undefined when nothing known makes them likely times
 */
export function guessEpoch(options: { low: number; high: number; latest: number }): GuessedEpoch | undefined {
  const found = EPOCHS.find(({ toSeconds, begins }) => {
    const earliest = Math.max(EARLIEST_LIKELY, begins + YEAR_SECONDS);
    return toSeconds(options.low) >= earliest && toSeconds(options.high) <= options.latest;
  });
  if (found === undefined) return undefined;
  const example = new Date(found.toSeconds(options.high) * 1000).toISOString().slice(0, 10);
  const { name, sql } = found;
  const says = `they are likely ${name}, as which ${options.high} is of ${example}: convert them in the SQL, ${sql}`;
  return { name, sql, says };
}

function linear(name: string, { perSecond, since }: { perSecond: number; since: number }): Epoch {
  const scaled = perSecond >= 1 ? `x / ${perSecond}` : `x * ${Math.round(1 / perSecond)}`;
  const shift = since === 0 ? '' : since > 0 ? ` - ${since}` : ` + ${-since}`;
  return {
    name,
    begins: -since,
    toSeconds: (count) => count / perSecond - since,
    sql: `${perSecond === 1 ? 'x' : scaled}${shift}`,
  };
}

function days(name: string, of1970: number): Epoch {
  return {
    name,
    begins: -of1970 * SECONDS_PER_DAY,
    toSeconds: (day) => (day - of1970) * SECONDS_PER_DAY,
    sql: `(x - ${of1970}) * ${SECONDS_PER_DAY}`,
  };
}
