import { isWholeText } from '../domain/entity-id.js';
import { ShortlistError } from '../domain/errors.js';
import { type FeatureRows, type FeatureStore, VALUE_STATUS, type ValueStatus } from './feature-store.js';
import { defaultRowOf, type FeatureView, placesOf, widthOf } from './feature-view.js';
import { refuseStale, timesToLiveOf } from './freshness.js';
import { isRedisFault, type RedisClient, RedisFault, toFeaturesFailed } from './redis-connection.js';
import { createRedisKeys, type KeySpace } from './redis-keys.js';
import type { RedisReads } from './redis-reads.js';
import { createRowCodec, type RowFault } from './row-codec.js';
import { type GenerationFault, type GenerationObserver, watchGeneration } from './watch-generation.js';

/** Is told about reads and failures of Redis stores; it must not throw. */
export interface RedisStoreObserver extends GenerationObserver {
  /** A key held something that is no row of the view; it counts as absent. */
  rowRefused(view: string, reason: RowFault | 'wrong_type'): void;
  /** The newest event time, Unix seconds, that any read of the view met so far. */
  newestEvent(view: string, eventTime: number): void;
  /** The stores are not asked any more, or again. */
  availabilityChanged(available: boolean): void;
}

/** Options of `openRedisStores`. */
export interface RedisStoreOptions {
  /** Is closed with the last store. */
  readonly reads: RedisReads;
  readonly observer: RedisStoreObserver;
  /** Whose rows the views are. */
  readonly dataset: string;
}

/**
 * Serves the rows of views from Redis: what `materialise` loaded and what `push` changed, the newer of the two by event
 * time. Whatever is asked in the same turn of the event loop, of any number of ids and views, takes one round trip. A
 * read right after a new generation came into service takes two. Redis may be away when the stores open.
 * A user without a row is unknown only where a whole generation is in service; otherwise reading fails with FEATURES_NOT_LOADED.
 * @returns one store per view
 */
export async function openRedisStores(
  views: readonly FeatureView[],
  { reads, observer, dataset }: RedisStoreOptions,
): Promise<FeatureStore[]> {
  const space = { prefix: reads.keyPrefix, dataset };
  const readers = views.map((view) => createRowReader(view, reads.client, { observer, space }));
  // So that what is not loaded is shown before anybody asks for it.
  await Promise.all(readers.map((reader) => reader.probe().catch(() => undefined)));
  const unwatch = reads.watch((available) => observer.availabilityChanged(available));
  let open = views.length;
  return views.map((view, index) => {
    const fill = createRowFiller(view, { observer, space });
    return {
      view,
      getMany: async (ids, rows, { now }) => {
        if (ids.length === 0) return;
        const { found, fault } = await reads
          .ask(() => readers[index]!.read(ids))
          .catch((error: unknown) => {
            throw isRedisFault(error) ? toFeaturesFailed(error) : error;
          });
        if (fault !== undefined) throw notLoaded(view, fault);
        fill(ids, found, { rows, now });
      },
      close: async () => {
        open--;
        if (open > 0) return;
        unwatch();
        reads.close();
      },
    };
  });
}

interface RowReader {
  /**
   * The bytes of each id's newest row; undefined for an id that has none, and then with what is wrong with the generation in service,
   * where something is.
   */
  read(
    ids: readonly string[],
  ): Promise<{ found: (Buffer | undefined)[]; fault: GenerationFault | undefined }>;
  probe(): Promise<unknown>;
}

interface ReaderOptions {
  readonly observer: RedisStoreObserver;
  readonly space: KeySpace;
}

function createRowReader(
  view: FeatureView,
  client: RedisClient,
  { observer, space }: ReaderOptions,
): RowReader {
  const codec = createRowCodec(view, space);
  const keys = createRedisKeys(view, space);
  const watch = watchGeneration(view, client, { keys, codec, observer });

  async function readKey(key: string): Promise<Buffer | undefined> {
    try {
      return (await client.getBuffer(key)) ?? undefined;
    } catch (error) {
      if (!(error as Error).message.startsWith('WRONGTYPE')) throw new RedisFault(error);
      observer.rowRefused(view.name, 'wrong_type');
      return undefined;
    }
  }

  /** The generation in service; the last known one when its node of a cluster cannot be asked, while others can. */
  async function readGeneration(): Promise<string | undefined> {
    try {
      watch.enter(await readKey(keys.pointer));
    } catch (error) {
      if (watch.generation() === undefined) throw error;
    }
    return watch.generation();
  }

  async function readRow(id: string, key: string): Promise<Buffer | undefined> {
    if (!isWholeText(id)) return undefined;
    const bytes = await readKey(key);
    const fault = bytes === undefined ? undefined : codec.findFault(bytes);
    if (fault === undefined) return bytes;
    observer.rowRefused(view.name, fault);
    return undefined;
  }

  function readLoaded(ids: readonly string[], from: string | undefined): Promise<(Buffer | undefined)[]> {
    if (from === undefined) return Promise.resolve([]);
    return Promise.all(ids.map((id) => readRow(id, keys.loaded(from, id))));
  }

  function pickNewer(pushed: Buffer | undefined, loaded: Buffer | undefined): Buffer | undefined {
    if (pushed === undefined || loaded === undefined) return pushed ?? loaded;
    return codec.eventTimeOf(pushed) >= codec.eventTimeOf(loaded) ? pushed : loaded;
  }

  return {
    probe: async () => watch.enter(await readKey(keys.pointer)),
    read: async (ids) => {
      const hoped = watch.generation();
      const [current, pushed, early] = await Promise.all([
        readGeneration(),
        Promise.all(ids.map((id) => readRow(id, keys.pushed(id)))),
        readLoaded(ids, hoped),
      ]);
      const loaded = current === hoped ? early : await readLoaded(ids, current);
      const found = ids.map((_, index) => pickNewer(pushed[index], loaded[index]));
      if (!found.includes(undefined)) return { found, fault: undefined };
      return { found, fault: await watch.findFault() };
    },
  };
}

const FAULTS = {
  none: 'has no generation in service',
  other_schema: 'has a generation in service whose fields are not those of the bundle',
  incomplete: 'lost rows of the generation in service',
} as const satisfies Record<GenerationFault, string>;

function notLoaded({ name }: FeatureView, fault: GenerationFault): ShortlistError {
  return new ShortlistError(
    'FEATURES_NOT_LOADED',
    `Redis ${FAULTS[fault]} of the view ${name}, so a user without a row may be known all the same: run \`shortlist materialise\`.`,
  );
}

type RowFiller = (
  ids: readonly string[],
  found: readonly (Buffer | undefined)[],
  options: { rows: FeatureRows; now: number },
) => void;

function createRowFiller(view: FeatureView, { observer, space }: ReaderOptions): RowFiller {
  const { PRESENT, DEFAULTED, STALE, UNKNOWN_ENTITY } = VALUE_STATUS;
  const { fields } = view;
  const codec = createRowCodec(view, space);
  const { whenStale = 'default' } = view;
  const timesToLive = timesToLiveOf(view);
  const places = placesOf(view);
  const defaults = defaultRowOf(view);
  let newest = Number.NEGATIVE_INFINITY;

  function statusOf(bytes: Buffer, field: number, ageSeconds: number): ValueStatus {
    if (codec.isMissing(bytes, field)) return DEFAULTED;
    return ageSeconds >= timesToLive[field]! ? STALE : PRESENT;
  }

  function noteEvent(eventTime: number): void {
    if (eventTime <= newest) return;
    newest = eventTime;
    observer.newestEvent(view.name, eventTime);
  }

  return (ids, found, { rows, now }) => {
    ids.forEach((id, row) => {
      const bytes = found[row];
      const start = row * defaults.length;
      rows.values.set(defaults, start);
      if (bytes === undefined) {
        rows.statuses.fill(UNKNOWN_ENTITY, row * fields.length, (row + 1) * fields.length);
        return;
      }
      const eventTime = codec.eventTimeOf(bytes);
      noteEvent(eventTime);
      for (let field = 0; field < fields.length; field++) {
        const status = statusOf(bytes, field, now - eventTime);
        if (status === STALE && whenStale === 'refuse') throw refuseStale(view, { id, field });
        rows.statuses[row * fields.length + field] = status;
        if (status === DEFAULTED || (status === STALE && whenStale === 'default')) continue;
        const end = places[field]! + widthOf(fields[field]!);
        for (let place = places[field]!; place < end; place++) {
          rows.values[start + place] = codec.valueAt(bytes, place);
        }
      }
    });
  };
}
