import { ShortlistError } from '../../../domain/errors.js';
import { findOwn } from '../../../domain/find-own.js';
import type { BundleContents } from '../../../engine/read-bundle.js';
import { listUserViews } from '../../../engine/list-user-views.js';
import type { FeatureStore } from '../../../features/feature-store.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import type { FeatureView } from '../../../features/feature-view.js';
import { createMemoryStore } from '../../../features/memory-store.js';
import type { FeatureRecord } from '../../../pipeline/feature-record.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { PreparedView } from '../../data/prepared-views.js';
import { buildRowAsOf, recodeView } from '../../training/views/declared-view.js';

/** The time that a request is made again at. */
export interface Moment {
  /** Unix seconds. */
  now: number;
  /** When its online rows were read, and of which views. */
  online: FeatureRecord['online'];
}

/** A view of the bundle, and the rows that a dataset has of it. */
export interface JoinedView {
  readonly view: FeatureView;
  readonly rows: PreparedView;
}

/**
 * Views whose online rows a dataset has the history of.
 * @throws ShortlistError INVALID_DATASET when it has other fields than the bundle
 */
export function listJoinedViews({ manifest }: BundleContents, { views }: PreparedDataset): JoinedView[] {
  const problems: string[] = [];
  const joined = listUserViews(manifest).flatMap((view): JoinedView[] => {
    const rows = views.declared.find(({ spec }) => spec.name === view.name);
    if (view.online === undefined || rows?.eventTimes === undefined) return [];
    if (describeFields(view.fields) === describeFields(rows.spec.fields))
      return [{ view, rows: recodeView(rows, view) }];
    problems.push(
      `view ${view.name}: the bundle has ${describeFields(view.fields)}, the dataset ${describeFields(rows.spec.fields)}`,
    );
    return [];
  });
  if (problems.length === 0) return joined;
  throw new ShortlistError('INVALID_DATASET', 'The prepared dataset has other views than the bundle.', {
    problems,
  });
}

function describeFields(
  fields: readonly { name: string; type: string; length?: number | undefined }[],
): string {
  return fields.map(({ name, type, length }) => `${name} ${type}${length ?? ''}`).join(', ');
}

/** Gives the row that was true when the online row was read; where the bundle served the view, the row that the bundle has. */
export function createJoiningStore(
  view: FeatureView,
  { rows, table, moment }: { rows: PreparedView; table: FeatureTable; moment: Moment },
): FeatureStore {
  const bundled = createMemoryStore(table);
  return {
    view,
    getMany: (ids, target, options) => {
      const { online } = moment;
      if (online === undefined || findOwn(online.statuses, view.name) === undefined)
        return bundled.getMany(ids, target, options);
      const now = online.readAt;
      return createMemoryStore(buildRowAsOf(rows, ids[0]!, { time: now, as: view })).getMany(ids, target, {
        now,
      });
    },
    close: async () => undefined,
  };
}
