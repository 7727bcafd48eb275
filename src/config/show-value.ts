const LONGEST = 80;

/** A value as messages show it: JSON, cut when it is long. It never throws for what JSON can say, however deep. */
export function showValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : toJson(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** `JSON.parse` reads what `JSON.stringify` has no stack for: ten thousand lists in each other. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return Array.isArray(value) ? 'a list of lists, too deep to show' : 'an object, too deep to show';
  }
}
