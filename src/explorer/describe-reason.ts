import type { Place } from './contract.js';

/** What a rule did to a place, in words. Where the rule meant another item, it says so. */
export function describeReason({ rule, detail }: Place['reasons'][number]): string {
  if (detail === 'makes room') return `makes room for another (rule ${rule})`;
  if (detail === 'moves up') return `moves up in place of another (rule ${rule})`;
  return detail;
}
