import { LRUCache } from 'lru-cache';
import { ShortlistError } from '../../domain/errors.js';
import { processClock } from '../../domain/process-clock.js';
import { timerMs } from '../../domain/timers.js';
import { traceWork } from '../../observability/traced-work.js';
import type { SlateReport } from '../../pipeline/recommendation-request.js';
import type { Answer, SlateFacts, SlateForm } from '../recommender.js';

/** A slate as the HTTP layer answers with it, save what differs from request to request. */
export interface WrittenSlate {
  readonly facts: SlateFacts;
  readonly body: Buffer;
}

/** One request to the cache. */
export interface SlateQuestion {
  readonly key: string;
  /** Whether the request would still be of that key: an answer that came too late for it is not kept. */
  readonly isSame: () => boolean;
  readonly compute: () => Answer | Promise<Answer>;
  /** Runs what answers this request and those that join it, and holds what it needs until that ends. */
  readonly hold: (flight: () => Promise<Answer>) => Promise<Answer>;
  readonly form: SlateForm;
  /** When this request is out of time, in milliseconds of `processClock`. */
  readonly deadline: number;
  /** When `compute` gives up by itself. */
  readonly sharedDeadline: number;
}

/** Keeps whole answers. */
export interface SlateCache {
  /**
   * The answer to a request. One that memory does not have is computed once for all who ask for it meanwhile. A request that runs out of
   * time, or whose client leaves, stops the computation for nobody.
   * @returns no promise where the answer is in memory
   * @throws ShortlistError DEADLINE_EXCEEDED at the deadline; what `compute` throws, to all who waited for it
   */
  answer(question: SlateQuestion): Answer | Promise<Answer>;
  close(): void;
}

/** Slates that several processes share. It fails for nobody: what cannot be read is not there. */
export interface SharedSlates {
  /** @returns what is there, and for how many milliseconds more */
  find(key: string, form: SlateForm): Promise<{ slate: WrittenSlate; leftMs: number } | undefined>;
  /** Writes beside the requests. */
  keep(key: string, slate: WrittenSlate, lifeMs: number): void;
  close(): void;
}

/** Why an answer was not kept. */
export type NotKept = 'degraded' | 'shallow' | 'changed';

/** Is told how the cache is used; nothing here may throw. */
export interface SlateCacheObserver {
  lookedUp(layer: 'memory' | 'redis', outcome: 'hit' | 'miss'): void;
  joined(): void;
  notKept(reason: NotKept): void;
  /** What the memory layer holds now. */
  sized(size: { bytes: number; entries: number }): void;
}

/** Bounds a slate cache. */
export interface SlateCacheOptions {
  readonly maxBytes: number;
  readonly ttlMs: number;
  /** Lives differ by up to this share of `ttlMs`, shorter or longer, 0 to below 1. */
  readonly jitterShare: number;
  readonly observer: SlateCacheObserver;
  readonly shared?: SharedSlates | undefined;
  /** Milliseconds of a clock that nobody sets, above 0; by default `performance.now`. */
  readonly now?: () => number;
}

/** What an entry takes beside its body and key: an estimate for facts, list places and the buffer. */
const ENTRY_BYTES = 1200;

interface Flight {
  readonly landing: Promise<Answer>;
  readonly deadline: number;
}

/** A slate cache in memory, bounded by bytes, over what processes share. */
export function createSlateCache(options: SlateCacheOptions): SlateCache {
  const { maxBytes, ttlMs, jitterShare, observer, shared, now = () => performance.now() } = options;
  const memory = new LRUCache<string, WrittenSlate & Answer>({
    maxSize: maxBytes,
    sizeCalculation: ({ facts, body }, key) => body.length + key.length + ENTRY_BYTES + sizeFacts(facts),
    perf: { now },
    ttlResolution: 0,
  });
  const flights = new Map<string, Flight>();

  function keepInMemory(key: string, slate: WrittenSlate, lifeMs: number): void {
    memory.set(key, { facts: slate.facts, body: copyAlone(slate.body), cache: 'hit' }, { ttl: lifeMs });
    observer.sized({ bytes: memory.calculatedSize, entries: memory.size });
  }

  async function findShared(key: string, form: SlateForm): Promise<WrittenSlate | undefined> {
    const found = shared && (await traceWork('redis slates', () => shared.find(key, form)));
    if (shared !== undefined) observer.lookedUp('redis', found === undefined ? 'miss' : 'hit');
    // An answer that went from process to process is as old as it is.
    if (found !== undefined) keepInMemory(key, found.slate, found.leftMs);
    return found?.slate;
  }

  async function fly({ key, isSame, compute, form }: SlateQuestion): Promise<Answer> {
    const found = await findShared(key, form);
    if (found !== undefined) return { ...found, cache: 'hit' };
    const computed = await compute();
    const body = form.write(computed.report!.slate);
    const obstacle = findObstacle(computed.report!, isSame);
    if (obstacle === undefined) {
      const written = { facts: computed.facts, body };
      const lifeMs = ttlMs * (1 + jitterShare * (2 * Math.random() - 1));
      keepInMemory(key, written, lifeMs);
      shared?.keep(key, written, lifeMs);
    } else {
      observer.notKept(obstacle);
    }
    return { ...computed, body, cache: 'miss' };
  }

  async function join(question: SlateQuestion): Promise<Answer> {
    const { key, hold, deadline, sharedDeadline } = question;
    const underWay = flights.get(key);
    if (underWay !== undefined) {
      observer.joined();
      const answer = await awaitUntil(deadline, underWay);
      return answer.cache === 'hit' ? answer : { ...answer, cache: 'joined' };
    }
    const landing = hold(() => fly(question)).finally(() => flights.delete(key));
    const flight = { landing, deadline: sharedDeadline };
    flights.set(key, flight);
    return awaitUntil(deadline, flight);
  }

  return {
    answer: (question) => {
      const kept = memory.get(question.key);
      observer.lookedUp('memory', kept === undefined ? 'miss' : 'hit');
      return kept ?? join(question);
    },
    close: () => shared?.close(),
  };
}

function findObstacle({ slate, depth = 1 }: SlateReport, isSame: () => boolean): NotKept | undefined {
  if (slate.degraded.length > 0) return 'degraded';
  if (depth < 1) return 'shallow';
  return isSame() ? undefined : 'changed';
}

/** Estimates: an id of a few characters with its place and its score; an object of three fields and its place in a list. */
const ITEM_BYTES = 48;
const ATTRIBUTION_BYTES = 64;

function sizeFacts({ itemIds, retrievedBy = [] }: SlateFacts): number {
  const attributions = retrievedBy.reduce((sum, { length }) => sum + length + 1, 0);
  return ITEM_BYTES * itemIds.length + ATTRIBUTION_BYTES * attributions;
}

/** Small buffers share memory of 8 kB, and one that is kept would keep all of it. */
function copyAlone(body: Buffer): Buffer {
  const alone = Buffer.allocUnsafeSlow(body.length);
  body.copy(alone);
  return alone;
}

/** Most requests have as long as the computation, which then needs no second timer. */
async function awaitUntil(deadline: number, { landing, deadline: end }: Flight): Promise<Answer> {
  if (deadline >= end) return landing;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const expire = (): void =>
      reject(new ShortlistError('DEADLINE_EXCEEDED', 'The request ran out of time while it was computed.'));
    timer = setTimeout(expire, timerMs(deadline - processClock()));
  });
  try {
    return await Promise.race([landing, late]);
  } finally {
    clearTimeout(timer);
  }
}
