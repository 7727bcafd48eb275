import { Type } from 'typebox';

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The schema of a length of time in a config: a whole number and its unit. */
export function durationType(description: string): Type.TString {
  return Type.String({
    pattern: '^[1-9]\\d{0,8}[smhd]$',
    'x-allowed': 'a whole number of seconds, minutes, hours or days: 30s, 15m, 12h, 7d',
    description,
  });
}

/** Seconds of a text that fits `durationType`. */
export function durationSeconds(text: string): number {
  return Number(text.slice(0, -1)) * SECONDS_PER_UNIT[text.at(-1)!]!;
}
