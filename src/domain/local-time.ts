/** The local date and time of one moment, as clock and calendar show it. */
export interface LocalTime {
  /** 0–23. */
  readonly hour: number;
  /** 1 (Monday) to 7 (Sunday), as ISO 8601 has it. */
  readonly weekday: number;
}

const SECONDS_PER_HOUR = 3600;
const HOURS_PER_DAY = 24;

/** 1 January 1970 was a Thursday, the fourth day. */
const FIRST_WEEKDAY = 4;

/** Clocks are only ever moved at such a moment, so a time zone need not be asked more often. */
const SECONDS_BETWEEN_MOVES = 900;

/**
 * Tells the time of a time zone (IANA name) at Unix seconds, summer time included.
 * @throws RangeError when there is no such time zone
 */
export function createLocalClock(timeZone: string): (unixSeconds: number) => LocalTime {
  const offsetAt = timeZone === 'UTC' ? () => 0 : createOffsetReader(timeZone);
  return (unixSeconds) => {
    const hours = Math.floor((unixSeconds + offsetAt(unixSeconds)) / SECONDS_PER_HOUR);
    const days = Math.floor(hours / HOURS_PER_DAY);
    return { hour: hours - days * HOURS_PER_DAY, weekday: modulo(days + FIRST_WEEKDAY - 1, 7) + 1 };
  };
}

/** True for a time zone that this machine knows. */
export function isTimeZone(name: string): boolean {
  try {
    createOffsetReader(name);
    return true;
  } catch {
    return false;
  }
}

/** Seconds that a time zone is ahead of UTC. Asking Intl takes microseconds, and a dataset has millions of rows. */
function createOffsetReader(timeZone: string): (unixSeconds: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const known = new Map<number, number>();
  return (unixSeconds) => {
    const quarter = Math.floor(unixSeconds / SECONDS_BETWEEN_MOVES);
    let offset = known.get(quarter);
    if (offset === undefined) {
      offset = parseOffset(format.format(quarter * SECONDS_BETWEEN_MOVES * 1000));
      known.set(quarter, offset);
    }
    return offset;
  };
}

/** The offset at the end of a date: `GMT+05:30`, `GMT-03:30`; none is `GMT+00:00`, or `GMT` in newer releases of ICU. */
function parseOffset(text: string): number {
  const [, sign, hours, minutes] = /GMT([+-]?)(\d*):?(\d*)/.exec(text)!;
  const seconds = Number(hours) * SECONDS_PER_HOUR + Number(minutes) * 60;
  return sign === '-' ? -seconds : seconds;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
