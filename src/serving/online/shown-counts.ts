import { LRUCache } from 'lru-cache';
import type { RuleSettings } from '../../config/rule-config.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { hashId } from '../../domain/id-table.js';
import { type Subject, visitorIdOf } from '../../domain/subject.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';

/**
 * Knows what users and visitors were answered with lately, for the rule `fatigue`. It is kept in the memory of the process, within a bound, and lossy: who
 * was not answered for the longest is dropped first, and so is what a visitor was not shown for the longest.
 */
export interface ShownCounts {
  /** @param now Unix seconds */
  add(subject: Subject, itemIds: readonly string[], now: number): void;
  /** `hashId` of the items that the subject was shown so often. */
  findTired(subject: Subject, rule: Pick<RuleSettings['fatigue'], 'shown' | 'days'>, now: number): number[];
  /** What is kept now, by an estimate. */
  readonly size: { readonly bytes: number; readonly visitors: number };
}

/** The latest times (Unix seconds, ascending) at which each item was shown, by `hashId`; the item that was shown last is the last. */
type ShownTimes = Map<number, number[]>;

/** Bytes that are kept at most. */
const MOST_BYTES = 32_000_000;
/** Items of one visitor. */
const MOST_ITEMS = 300;
/** What an item of a map with its list takes beside its times, and a visitor beside the items: measured, Node 24. */
const ITEM_BYTES = 120;
const VISITOR_BYTES = 400;

/** The counts that the rules of the scenarios ask for; undefined where none does. */
export function createShownCounts(
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  { maxBytes = MOST_BYTES }: { maxBytes?: number } = {},
): ShownCounts | undefined {
  const rules = [...scenarios.values()].flatMap(({ rules: entries }) => entries);
  const asked = rules.flatMap((rule) =>
    typeof rule !== 'string' && 'fatigue' in rule ? rule.fatigue.shown : [],
  );
  if (asked.length === 0) return undefined;
  const mostTimes = Math.max(...asked);
  const kept = new LRUCache<string, ShownTimes>({
    maxSize: maxBytes,
    sizeCalculation: (times) => VISITOR_BYTES + times.size * (ITEM_BYTES + 8 * mostTimes),
  });
  return {
    add: (subject, itemIds, now) => {
      if (itemIds.length === 0) return;
      for (const visitor of listVisitors(subject)) {
        const times: ShownTimes = kept.get(visitor) ?? new Map();
        for (const itemId of itemIds) addTime(times, hashId(itemId), { now, mostTimes });
        for (const oldest of times.keys()) {
          if (times.size <= MOST_ITEMS) break;
          times.delete(oldest);
        }
        // Anew, since it has grown.
        kept.delete(visitor);
        kept.set(visitor, times);
      }
    },
    findTired: (subject, { shown, days }, now) => {
      const first = now - days * SECONDS_PER_DAY;
      const tired = listVisitors(subject).flatMap((visitor) =>
        [...(kept.get(visitor) ?? [])].flatMap(([hash, times]) =>
          (times.at(-shown) ?? Number.NEGATIVE_INFINITY) >= first ? hash : [],
        ),
      );
      return [...new Set(tired)];
    },
    get size() {
      return { bytes: kept.calculatedSize, visitors: kept.size };
    },
  };
}

/** A visitor who logs in takes along what the session was shown. */
function listVisitors({ userId, sessionId }: Subject): string[] {
  return [{ userId }, { sessionId }].flatMap((subject) => visitorIdOf(subject as Subject) ?? []);
}

function addTime(
  times: ShownTimes,
  hash: number,
  { now, mostTimes }: { now: number; mostTimes: number },
): void {
  const all = times.get(hash) ?? [];
  all.push(now);
  if (all.length > mostTimes) all.shift();
  times.delete(hash);
  times.set(hash, all);
}
