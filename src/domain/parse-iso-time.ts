/** ISO 8601 as it is read here: a day, or a day with a time; the last group is the zone. `[0-9]`, since `\d` means more to some readers of patterns. */
export const ISO_TIME_PATTERN =
  '^([0-9]{4}-[0-9]{2}-[0-9]{2})([Tt ]([0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?)([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$';

const ISO = new RegExp(ISO_TIME_PATTERN);

/** Unix seconds of an ISO 8601 text: UTC where no zone is named, as in files that `prepare` reads; NaN for what is not ISO 8601, however it could be taken. */
export function parseIsoTime(text: string): number {
  const [, day, , time, , , zone = 'Z'] = ISO.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return Number.NaN;
  // `Date.parse` has a way of its own with whatever is not written exactly so: it takes the year 13 for 2013.
  const offset = zone.length === 1 ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  return Date.parse(time === undefined ? day : `${day}T${time}${offset}`) / 1000;
}

/** `Date.parse` takes the 30th of February for the first of March. */
function isDay(date: string): boolean {
  const parsed = new Date(date);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}
