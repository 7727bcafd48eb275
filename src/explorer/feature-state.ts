import type { Feature } from './contract.js';

/** Whether a value lies outside of what training saw of most rows. */
export function isOutside({ value, typical }: Pick<Feature, 'value' | 'typical'>): boolean {
  const [low, high] = typical ?? [];
  return low !== undefined && high !== undefined && (value < low || value > high);
}

/** The words that mark a feature; none where it is as usual. */
export function listMarks(feature: Feature): string[] {
  return [
    ...(feature.status === 'PRESENT' ? [] : [feature.status]),
    ...(isOutside(feature) ? ['OUTSIDE'] : []),
  ];
}

/** What a feature belongs to, by its name: what stands before the first dot. */
export function familyOf(name: string): string {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(0, dot) : 'other';
}

/** Where the typical range and the value lie on a scale of 0 to 100 that holds both, with room at its ends. */
export function layOutRange(value: number, [low, high]: readonly [number, number]) {
  const least = Math.min(low, value);
  const span = Math.max(high, value) - least || 1;
  const at = (point: number): number => 8 + (84 * (point - least)) / span;
  return { low: at(low), high: at(high), value: at(value) };
}
