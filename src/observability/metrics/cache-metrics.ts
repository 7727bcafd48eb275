import { Counter, Gauge, type Registry } from 'prom-client';

/** The slate cache, in memory and in Redis. */
export interface CacheMetrics {
  /** Counts a look into the slate cache: `memory` or `redis`, and what came of it. */
  countSlateLookup(layer: string, outcome: 'hit' | 'miss'): void;
  /** Counts a request that waited for what another one had asked for. */
  countSlateJoin(): void;
  /** Counts an answer that the slate cache did not take. */
  countSlateNotKept(reason: string): void;
  /** Counts a value in Redis that was no slate. */
  countRefusedSlate(reason: string): void;
  /** Counts a read or a write of slates that Redis did not answer. */
  countFailedSlate(): void;
  /** Shows what the slate cache holds in memory. */
  showSlateCache(size: { bytes: number; entries: number }): void;
  /** Shows whether the Redis that slates are shared in is asked. */
  showSlateStore(available: boolean): void;
}

/** Creates the metrics of the slate cache, registered with all of `registers`. */
export function createCacheMetrics(registers: Registry[]): CacheMetrics {
  const lookups = new Counter({
    name: 'shortlist_slate_cache_lookups_total',
    help: 'Looks into the slate cache by layer (memory; redis for what memory has not) and outcome.',
    labelNames: ['layer', 'outcome'],
    registers,
  });
  const joins = new Counter({
    name: 'shortlist_slate_cache_joins_total',
    help: 'Requests that waited for an answer that another request had asked for.',
    registers,
  });
  const notKept = new Counter({
    name: 'shortlist_slate_cache_not_kept_total',
    help: 'Answers that were not kept: degraded, shallow (not all candidates were ranked) or changed (made for an hour that ended).',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'shortlist_slate_cache_refused_total',
    help: 'Values in Redis that were no slates: corrupt, other_schema, wrong_type or no_expiry; they count as misses.',
    labelNames: ['reason'],
    registers,
  });
  const failed = new Counter({
    name: 'shortlist_slate_cache_failures_total',
    help: 'Reads and writes of slates that Redis did not answer; such reads count as misses.',
    registers,
  });
  const bytes = new Gauge({
    name: 'shortlist_slate_cache_bytes',
    help: 'Bytes of the slates in memory with what keeps them, those included whose time is over.',
    registers,
  });
  const entries = new Gauge({
    name: 'shortlist_slate_cache_entries',
    help: 'Slates in memory, those included whose time is over.',
    registers,
  });
  const storeUp = new Gauge({
    name: 'shortlist_slate_cache_store_up',
    help: '1 while slates are shared, 0 while each process keeps its own because Redis fails; absent where they are not shared.',
    labelNames: ['store'],
    registers,
  });
  return {
    countSlateLookup: (layer, outcome) => lookups.inc({ layer, outcome }),
    countSlateJoin: () => joins.inc(),
    countSlateNotKept: (reason) => notKept.inc({ reason }),
    countRefusedSlate: (reason) => refused.inc({ reason }),
    countFailedSlate: () => failed.inc(),
    showSlateCache: (size) => {
      bytes.set(size.bytes);
      entries.set(size.entries);
    },
    showSlateStore: (available) => storeUp.set({ store: 'redis' }, available ? 1 : 0),
  };
}
