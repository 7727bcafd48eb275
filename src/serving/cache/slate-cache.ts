import { LRUCache } from 'lru-cache';
import { ShortlistError } from '../../domain/errors.js';
import { processClock } from '../../domain/process-clock.js';
import type { TrialRelease } from '../../domain/release.js';
import { timerMs } from '../../domain/timers.js';
import type { Slate, SourceAttribution } from '../../domain/slate.js';
import { traceWork } from '../../observability/traced-work.js';
import type { SlateReport } from '../../pipeline/recommendation-request.js';

/** What is known of a slate whose items are bytes already. */
export interface SlateFacts extends Pick<Slate, 'scenario' | 'bundle' | 'strategy' | 'degraded'> {
  readonly itemCount: number;
  /** What found each item, by position, where the answer was to be logged. */
  readonly retrievedBy?: readonly (readonly SourceAttribution[])[];
}

/** A slate as the HTTP layer answers with it, save what differs from request to request. */
export interface WrittenSlate {
  readonly facts: SlateFacts;
  readonly body: Buffer;
}

/** How the HTTP layer writes slates: the cache keeps the bytes and looks into none. */
export interface SlateForm {
  write(slate: Slate): Buffer;
  /** Whether bytes from outside of the process are what `write` makes for this request, and the facts beside them are true of them. */
  isWritten(body: Buffer, facts: SlateFacts): boolean;
}

/** How an answer came about: `joined` waited for what another request had asked for, `off` met no cache. */
export type CacheOutcome = 'hit' | 'joined' | 'miss' | 'off';

export interface SlateAnswer extends WrittenSlate {
  readonly cache: CacheOutcome;
  /** Where it was computed for this request or for one that it joined. */
  readonly record?: SlateReport | undefined;
  /** Whose bundle it is of; absent for the one in service. */
  readonly release?: TrialRelease;
}

/** One request to the cache. */
export interface SlateQuestion {
  readonly key: string;
  /** Whether the request would still be of that key: an answer that came too late for it is not kept. */
  readonly isSame: () => boolean;
  readonly compute: () => Promise<SlateReport>;
  /** Runs what answers this request and those that join it, and holds what it needs until that ends. */
  readonly run: (flight: () => Promise<SlateAnswer>) => Promise<SlateAnswer>;
  readonly form: SlateForm;
  /** When this request is out of time, in milliseconds of `processClock`. */
  readonly deadline: number;
  /** When `compute` gives up by itself. */
  readonly computeDeadline: number;
}

/** Keeps whole answers. */
export interface SlateCache {
  /** What is in memory. */
  find(key: string): SlateAnswer | undefined;
  /**
   * The answer that memory does not have, computed once for all who ask for it meanwhile. A request that runs out of time, or whose
   * client leaves, stops the computation for nobody.
   * @throws ShortlistError DEADLINE_EXCEEDED at the deadline; what `compute` throws, to all who waited for it
   */
  answer(question: SlateQuestion): Promise<SlateAnswer>;
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

export interface SlateCacheObserver {
  lookedUp(layer: 'memory' | 'redis', outcome: 'hit' | 'miss'): void;
  joined(): void;
  notKept(reason: NotKept): void;
  /** What the memory layer holds now. */
  sized(size: { bytes: number; entries: number }): void;
}

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
  readonly landing: Promise<SlateAnswer>;
  readonly deadline: number;
}

/** A slate cache in memory, bounded by bytes, over what processes share. */
export function createSlateCache(options: SlateCacheOptions): SlateCache {
  const { maxBytes, ttlMs, jitterShare, observer, shared, now = () => performance.now() } = options;
  const memory = new LRUCache<string, SlateAnswer>({
    maxSize: maxBytes,
    sizeCalculation: ({ facts, body }, key) =>
      body.length + key.length + ENTRY_BYTES + sizeAttributions(facts),
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

  async function fly({ key, isSame, compute, form }: SlateQuestion): Promise<SlateAnswer> {
    const found = await findShared(key, form);
    if (found !== undefined) return { ...found, cache: 'hit' };
    const record = await compute();
    const answer = writeRecord(record, form, 'miss');
    const obstacle = findObstacle(record, isSame);
    if (obstacle === undefined) {
      const lifeMs = ttlMs * (1 + jitterShare * (2 * Math.random() - 1));
      keepInMemory(key, answer, lifeMs);
      shared?.keep(key, answer, lifeMs);
    } else {
      observer.notKept(obstacle);
    }
    return answer;
  }

  function board(question: SlateQuestion): Flight {
    const { key, run, computeDeadline } = question;
    const landing = run(() => fly(question)).finally(() => flights.delete(key));
    const flight = { landing, deadline: computeDeadline };
    flights.set(key, flight);
    return flight;
  }

  return {
    find: (key) => {
      const kept = memory.get(key);
      observer.lookedUp('memory', kept === undefined ? 'miss' : 'hit');
      return kept;
    },
    answer: async (question) => {
      const underWay = flights.get(question.key);
      if (underWay === undefined) return awaitUntil(question.deadline, board(question));
      observer.joined();
      const answer = await awaitUntil(question.deadline, underWay);
      return answer.cache === 'hit' ? answer : { ...answer, cache: 'joined' };
    },
    close: () => shared?.close(),
  };
}

/** The answer to the request that a record was made for. */
export function writeRecord(
  record: SlateReport,
  form: Pick<SlateForm, 'write'>,
  cache: CacheOutcome,
): SlateAnswer {
  const { scenario, bundle, strategy, degraded, items } = record.slate;
  const isLogged = items[0]?.retrievedBy !== undefined;
  const facts = {
    scenario,
    bundle,
    strategy,
    degraded,
    itemCount: items.length,
    ...(isLogged && { retrievedBy: items.map(({ retrievedBy }) => retrievedBy!) }),
  };
  return { facts, body: form.write(record.slate), cache, record };
}

function findObstacle({ slate, depth = 1 }: SlateReport, isSame: () => boolean): NotKept | undefined {
  if (slate.degraded.length > 0) return 'degraded';
  if (depth < 1) return 'shallow';
  return isSame() ? undefined : 'changed';
}

/** An estimate: an object of three fields and its place in a list. */
const ATTRIBUTION_BYTES = 64;

function sizeAttributions({ retrievedBy = [] }: SlateFacts): number {
  return retrievedBy.reduce((sum, { length }) => sum + ATTRIBUTION_BYTES * (length + 1), 0);
}

/** Small buffers share memory of 8 kB, and one that is kept would keep all of it. */
function copyAlone(body: Buffer): Buffer {
  const alone = Buffer.allocUnsafeSlow(body.length);
  body.copy(alone);
  return alone;
}

/** Most requests have as long as the computation, which then needs no second timer. */
async function awaitUntil(deadline: number, { landing, deadline: end }: Flight): Promise<SlateAnswer> {
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
