import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { Subject } from '../../../domain/subject.js';
import { closeEngine } from '../../../engine/close-engine.js';
import { createEngine } from '../../../engine/create-engine.js';
import { listUserViews } from '../../../engine/list-user-views.js';
import { openContents } from '../../../engine/open-engine.js';
import type { FeatureView } from '../../../features/feature-view.js';
import { hashScenario } from '../../../pipeline/capture-shown-features.js';
import type { Engine } from '../../../pipeline/engine.js';
import type { Catalogue } from '../../../domain/catalogue.js';
import type { LiveHistory, TypedEntries } from '../../../domain/history.js';
import type { FeatureRecord, LiveEntry, LiveTypedEntry } from '../../../pipeline/feature-record.js';
import { hydrateQuery } from '../../../pipeline/hydrate-query.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { assembleOffline, retrieveOffline } from '../../training/ranker/training-rows.js';
import { createJoiningStore, listJoinedViews, type Moment } from './joined-views.js';
import { rebuildContents } from './rebuild-contents.js';

/** Makes the vectors of logged requests again, from parquet, by the path that makes training rows. */
export interface OfflineFeatures {
  readonly version: string;
  /** The columns of every vector. */
  readonly featureOrder: readonly string[];
  readonly views: readonly FeatureView[];
  /** What the rows of the views were taken from, one sentence. */
  readonly origin: string;
  /** Why a request cannot be made again here; undefined where it can. */
  findObstacle(record: FeatureRecord): string | undefined;
  /** The vector of each candidate, by item id. */
  recompute(record: FeatureRecord): Promise<ReadonlyMap<string, Float32Array>>;
  close(): Promise<void>;
}

/**
 * @param folder of the bundle
 * @param options.dataset the prepared dataset to join from. The one that the bundle was trained on gives every view, the histories
 * and the catalogue; a later one the rows of the declared online views that have event times. Without one the parquet of the bundle
 * gives all
 * @throws ShortlistError as `openEngine` does; INVALID_DATASET when a view of the dataset has other fields
 */
export async function openOfflineFeatures(
  folder: string,
  options: { scenarios: ReadonlyMap<string, ScenarioConfig>; dataset?: PreparedDataset | undefined },
): Promise<OfflineFeatures> {
  const { scenarios, dataset } = options;
  const { contents: read } = await openContents(folder, scenarios, {});
  const isTrainedOn = dataset?.fingerprint === read.manifest.dataset.fingerprint;
  const contents = dataset !== undefined && isTrainedOn ? rebuildContents(read, dataset) : read;
  const joined = dataset === undefined ? [] : listJoinedViews(contents, dataset);
  const moment: Moment = { now: contents.manifest.knownUntil, online: undefined };
  const stores = joined.map(({ view, rows }) =>
    createJoiningStore(view, { rows, table: contents.tables.get(view.name)!, moment }),
  );
  const engine = await createEngine(contents, { scenarios, stores, clock: () => moment.now });
  return {
    version: engine.manifest.version,
    featureOrder: engine.assembler.featureOrder,
    views: listUserViews(engine.manifest),
    origin: describeOrigin(dataset, { isTrainedOn, joined: joined.map(({ view }) => view.name) }),
    findObstacle: (record) => findObstacle(record, engine),
    recompute: (record) => {
      Object.assign(moment, { now: record.now, online: record.online });
      return recompute(record, engine);
    },
    close: () => closeEngine(engine),
  };
}

function describeOrigin(
  dataset: PreparedDataset | undefined,
  { isTrainedOn, joined }: { isTrainedOn: boolean; joined: readonly string[] },
): string {
  if (dataset === undefined) return 'all rows are those of the parquet of the bundle';
  const online =
    joined.length === 0 ? '' : `; online rows of ${joined.join(', ')} as of the time of each request`;
  if (isTrainedOn)
    return `views, histories and catalogue are made of the dataset ${dataset.name} that the bundle was trained on${online}`;
  return `the dataset ${dataset.name} is not the one that the bundle was trained on: all rows are those of the parquet of the bundle${online}`;
}

function findObstacle(
  { scenario, scenarioHash, live = [], liveTypes = [] }: FeatureRecord,
  engine: Engine,
): string | undefined {
  const known = [...engine.scenarios.values()].map(hashScenario);
  if (!engine.scenarios.has(scenario) || !known.includes(scenarioHash))
    return `scenario ${scenario}: the server had another one than configs/scenarios has here`;
  const { entities } = engine.catalogue;
  const stranger = [...live, ...liveTypes].find(({ item }) => entities.find(item) < 0);
  return stranger && `its live history has item ${stranger.item}, which the bundle does not have`;
}

async function recompute(record: FeatureRecord, engine: Engine): Promise<ReadonlyMap<string, Float32Array>> {
  const { scenario, limit, depth, filters, exclude, context, sessionItems, candidates, shown } = record;
  const request = {
    subject: subjectOf(record),
    scenario,
    limit,
    filters,
    exclude,
    context,
    explain: 'none',
    sessionItems,
    candidates,
    shown,
  } as const;
  const query = hydrateQuery(request, engine, {
    prefetched: { live: record.live && readLive(record.live, record.liveTypes, engine) },
  });
  const retrieved = await retrieveOffline(query, engine, { depth });
  const { data, columns } = await assembleOffline(retrieved, query, engine);
  return new Map(
    Array.from(retrieved.candidates.items, (item, row) => [
      engine.catalogue.entities.idAt(item),
      data.subarray(row * columns, (row + 1) * columns),
    ]),
  );
}

function subjectOf({ user, isForgotten, session, item }: FeatureRecord): Subject {
  return {
    ...(user !== undefined && { userId: user }),
    ...(isForgotten === true && { isForgotten }),
    ...(session !== undefined && { sessionId: session }),
    ...(item !== undefined && { itemId: item }),
  };
}

/** @param entries of items that the bundle has, as are those with types */
function readLive(
  entries: readonly LiveEntry[],
  typed: readonly LiveTypedEntry[] | undefined,
  { catalogue }: Engine,
): LiveHistory {
  return {
    ...(typed && { typed: readTyped(typed, catalogue) }),
    items: Int32Array.from(entries, ({ item }) => catalogue.entities.find(item)),
    timestamps: Float64Array.from(entries, ({ time }) => time),
    values: Float32Array.from(entries, ({ value }) => value),
    negative: Uint8Array.from(entries, ({ negative }) => Number(negative === true)),
  };
}

function readTyped(entries: readonly LiveTypedEntry[], { entities }: Catalogue): TypedEntries {
  const names = [...new Set(entries.map(({ type }) => type))];
  return {
    items: Int32Array.from(entries, ({ item }) => entities.find(item)),
    timestamps: Float64Array.from(entries, ({ time }) => time),
    types: Int32Array.from(entries, ({ type }) => names.indexOf(type)),
    counts: Int32Array.from(entries, ({ counts = true }) => Number(counts)),
    names,
  };
}
