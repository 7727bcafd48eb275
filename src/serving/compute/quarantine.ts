import type { Settings } from '../../config/settings.js';
import type { ComputeMetrics } from '../../observability/metrics/compute-metrics.js';
import { LRUCache } from 'lru-cache';
import { ShortlistError } from '../../domain/errors.js';
import { keyOf } from '../../domain/subject.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** What is to be known of requests that may kill what computes them. Plain data: processes of a group tell each other. */
export interface QuarantineChange {
  /**
   * `suspect`: they are computed longer than anybody waits. `clear`: they were answered after all. `hold`: what computed them ended, or
   * hangs.
   */
  readonly kind: 'suspect' | 'clear' | 'hold';
  readonly keys: readonly string[];
}

/** Keeps requests that killed a computing thread, or may be about to, from the other threads. */
export interface Quarantine {
  /** Whether a request of this key is to be answered without a thread. */
  holds(key: string): boolean;
  /** Whether it was held before: it is computed by itself, so that it takes nobody with it. */
  isOnProbation(key: string): boolean;
  /** Makes a change, and tells the others of it. */
  change(change: QuarantineChange): void;
  /** Makes a change that others told of. */
  learn(change: QuarantineChange): void;
  /** What somebody who begins now has to learn. */
  list(): readonly QuarantineChange[];
}

/** Sizes a quarantine, and reports its changes. */
export interface QuarantineOptions {
  /** How long a key is held the first time; each further time four times as long, up to a day. */
  readonly lifeMs: number;
  /** Is told of each change that was made here. */
  readonly onChange?: ((change: QuarantineChange) => void) | undefined;
  /** Is told how many keys are held or suspected. */
  readonly onSize?: ((keys: number) => void) | undefined;
  /** Milliseconds on a clock that never goes back; `performance.now` by default. */
  readonly now?: () => number;
}

/** Keys that are remembered; the one that was named least recently is forgotten first. */
const MOST_KEYS = 10_000;
const GROWTH = 4;
const LONGEST_LIFE_MS = 86_400_000;

interface Sentence {
  readonly until: number;
  readonly lifeMs: number;
}

/** Creates an empty quarantine. */
export function createQuarantine(options: QuarantineOptions): Quarantine {
  const { lifeMs, onChange, onSize, now = () => performance.now() } = options;
  const suspects = new LRUCache<string, true>({ max: MOST_KEYS });
  const sentences = new LRUCache<string, Sentence>({ max: MOST_KEYS });

  function isHeld(key: string): boolean {
    const sentence = sentences.peek(key);
    return sentence !== undefined && now() < sentence.until;
  }

  function hold(key: string): void {
    suspects.delete(key);
    if (isHeld(key)) return;
    const before = sentences.peek(key)?.lifeMs;
    const life = before === undefined ? lifeMs : Math.min(LONGEST_LIFE_MS, GROWTH * before);
    sentences.set(key, { until: now() + life, lifeMs: life });
  }

  function clear(key: string): void {
    suspects.delete(key);
    if (!isHeld(key)) sentences.delete(key);
  }

  function learn({ kind, keys }: QuarantineChange): void {
    for (const key of keys) {
      if (kind === 'suspect') suspects.set(key, true);
      else if (kind === 'hold') hold(key);
      else clear(key);
    }
    onSize?.(suspects.size + [...sentences.keys()].filter(isHeld).length);
  }

  return {
    holds: (key) => suspects.has(key) || isHeld(key),
    isOnProbation: (key) => sentences.has(key),
    learn,
    change: (change) => {
      learn(change);
      onChange?.(change);
    },
    list: () => {
      const changes: QuarantineChange[] = [
        { kind: 'suspect', keys: [...suspects.keys()] },
        { kind: 'hold', keys: [...sentences.keys()].filter(isHeld) },
      ];
      return changes.filter(({ keys }) => keys.length > 0);
    },
  };
}

/** By whom a request is held: what a model makes of a user is up to the bundle. */
export function quarantineKeyOf({ subject }: RecommendationRequest, version: string): string {
  return `${version} ${keyOf(subject)}`;
}

/** Why a request is answered without a thread. */
export class RequestQuarantined extends ShortlistError {
  /** In `degraded`. */
  readonly reason = 'request_quarantined';

  constructor() {
    super(
      'COMPUTE_FAILED',
      'A request like this one ended a computing thread, or is computed longer than anybody waits.',
    );
  }
}

/**
 * The quarantine that `compute.quarantineSeconds` asks for; undefined where it is 0.
 * @param onHeld is told of requests that other processes should not meet
 */
export function openQuarantine(
  { compute }: Pick<Settings, 'compute'>,
  metrics: ComputeMetrics,
  onHeld?: (change: QuarantineChange) => void,
): Quarantine | undefined {
  if (compute.quarantineSeconds === 0) return undefined;
  return createQuarantine({
    lifeMs: 1000 * compute.quarantineSeconds,
    onSize: (keys) => metrics.showQuarantined(keys),
    onChange: (change) => {
      if (change.kind === 'hold') metrics.countQuarantined(change.keys.length);
      onHeld?.(change);
    },
  });
}
