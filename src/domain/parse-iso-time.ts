/** ISO 8601 as it is read here: a day, or a day with a time; the last group is the zone. `[0-9]`, since `\d` means more to some readers of patterns. */
export const ISO_TIME_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$';

const ISO = new RegExp(ISO_TIME_PATTERN);

/** Unix seconds of an ISO 8601 text: UTC where no zone is named, as in files that `prepare` reads; NaN for what is not ISO 8601, however it could be taken. */
export function parseIsoTime(text: string): number {
  const found = ISO.exec(text);
  if (found === null || !isDay(text.slice(0, 10))) return Number.NaN;
  const hasBareTime = text.length > 10 && found.at(-1) === undefined;
  return Date.parse(hasBareTime ? `${text}Z` : text) / 1000;
}

/** `Date.parse` takes the 30th of February for the first of March. */
function isDay(date: string): boolean {
  const parsed = new Date(date);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}
