import { Type } from 'typebox';

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const DURATION = /^[1-9]\d{0,8}[smhd]$/;

/** The durations that `isDuration` accepts, in words. */
export const ALLOWED_DURATION = 'a whole number of seconds, minutes, hours or days: 30s, 15m, 12h, 7d';

/** True for a text that `durationSeconds` takes. */
export function isDuration(text: string): boolean {
  return DURATION.test(text);
}

/** The schema of a length of time in a config: a whole number and its unit. */
export function durationType(description: string): Type.TString {
  return Type.String({
    pattern: DURATION.source,
    'x-allowed': ALLOWED_DURATION,
    description,
  });
}

/** Seconds of a text that fits `durationType` or `isDuration`. */
export function durationSeconds(text: string): number {
  return Number(text.slice(0, -1)) * SECONDS_PER_UNIT[text.at(-1)!]!;
}
