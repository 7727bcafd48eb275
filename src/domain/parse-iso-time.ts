const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?<zone>Z|[+-]\d\d:?\d\d)?)?$/i;

/** Unix seconds of an ISO 8601 text: UTC where no zone is named, as in files that `prepare` reads; NaN for what is not ISO 8601, however it could be taken. */
export function parseIsoTime(text: string): number {
  const found = ISO.exec(text);
  if (found === null || !isDay(text.slice(0, 10))) return Number.NaN;
  const hasBareTime = text.length > 10 && found.groups!['zone'] === undefined;
  return Date.parse(hasBareTime ? `${text}Z` : text) / 1000;
}

/** `Date.parse` takes the 30th of February for the first of March. */
function isDay(date: string): boolean {
  const parsed = new Date(date);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}
