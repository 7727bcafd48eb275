import type { AttributeColumn, Catalogue } from '../domain/catalogue.js';
import { bisect } from '../domain/bisect.js';
import { showDay } from '../domain/show-day.js';
import { ShortlistError } from '../domain/errors.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { attemptAll } from './attempt-all.js';
import type { EligibilityRule } from './eligibility-rule.js';

/** A rule about times of items, bound to a bundle. */
export interface AvailableRule extends EligibilityRule {
  /** Says which items there are at a time (Unix seconds): the same text while nothing changes. */
  phaseAt(now: number): string;
}

/** Items with a time that changes whether they are there, by time. */
interface Changes {
  readonly times: Float64Array;
  readonly items: Int32Array;
}

/**
 * Takes out items before the time in one attribute, and from the time in another one on. An item without a value has no such bound.
 * @throws ShortlistError INVALID_BUNDLE for each attribute that the items do not have, or that holds something else than times
 */
export function createAvailable(
  { from, until }: { readonly from?: string | undefined; readonly until?: string | undefined },
  catalogue: Catalogue,
): AvailableRule {
  const [begins, ends] = attemptAll(
    [from, until].map(
      (name) => () => (name === undefined ? NONE : readTimes(findAttribute(name, catalogue), catalogue)),
    ),
  ) as [Changes, Changes];
  return {
    name: 'available',
    apply: (eligible, { moment: { now } }) => {
      for (let at = countUntil(begins, now); at < begins.items.length; at++) eligible[begins.items[at]!] = 0;
      for (let at = countUntil(ends, now) - 1; at >= 0; at--) eligible[ends.items[at]!] = 0;
    },
    explain: (item, { moment: { now } }) => {
      const [begin, end] = [begins, ends].map(({ times, items }) => times[items.indexOf(item)]);
      if (begin !== undefined && begin > now) return `from ${showDay(begin)} on`;
      return end !== undefined && end <= now ? `until ${showDay(end)}` : undefined;
    },
    phaseAt: (now) => `${countUntil(begins, now)}-${countUntil(ends, now)}`,
  };
}

const NONE: Changes = { times: new Float64Array(0), items: new Int32Array(0) };

/** How many of the times are no later. */
function countUntil({ times }: Changes, now: number): number {
  return bisect(times.length, (at) => times[at]! <= now);
}

function findAttribute(name: string, { attributes }: Catalogue): AttributeColumn {
  const found = attributes.find((attribute) => attribute.name === name);
  if (found !== undefined) return found;
  const known = attributes.map((attribute) => attribute.name).join(', ') || 'none';
  throw new ShortlistError('INVALID_BUNDLE', `the items have no attribute ${name}; they have ${known}`);
}

function readTimes({ name, values }: AttributeColumn, { entities }: Catalogue): Changes {
  const changes = values.flatMap((value, item) => {
    if (value === undefined) return [];
    const time = typeof value === 'number' ? value : typeof value === 'string' ? parseIsoTime(value) : NaN;
    if (!Number.isNaN(time)) return [{ item, time }];
    const shown = `${JSON.stringify(value)} (of item ${entities.idAt(item)})`;
    throw new ShortlistError('INVALID_BUNDLE', `${name} is ${shown}, allowed is Unix seconds or ISO 8601`);
  });
  changes.sort((a, b) => a.time - b.time);
  return {
    times: Float64Array.from(changes, ({ time }) => time),
    items: Int32Array.from(changes, ({ item }) => item),
  };
}
