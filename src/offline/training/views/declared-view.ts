import { IdIndex } from '../../../domain/id-index.js';
import { createTableBuilder, type FeatureTable, type TableBuilder } from '../../../features/feature-table.js';
import { placesOf, widthOf, type FeatureField, type FeatureView } from '../../../features/feature-view.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { PreparedColumn, PreparedField, PreparedView } from '../../data/prepared-views.js';

/** Code of a category, or of a boolean, that nothing has. */
const NO_VALUE = -1;

/**
 * A declared view as of one time: of each key the latest row that was true by then, or its only row where the view has no
 * event times. A field without a declared default gets the mean of the rows that were taken, as numbers do.
 *
 * @param options.knownUntil Unix seconds; a row of this second was true by then
 */
export function buildDeclaredView(view: PreparedView, options: { knownUntil: number }): FeatureTable {
  const rows = pickRows(view, options.knownUntil);
  const keys = [...view.keys.ids.keys()].filter((key) => rows[key]! >= 0);
  const taken = keys.map((key) => rows[key]!);
  const declared = declareView(view, taken);
  const builder = createTableBuilder(declared, taken.length, options);
  const places = placesOf(declared);
  declared.fields.forEach((field, index) => {
    const column = view.columns[index]!;
    taken.forEach((from, to) =>
      copyValue(builder, column, { from, to, index, place: places[index]!, field }),
    );
  });
  if (view.eventTimes !== undefined)
    taken.forEach((from, to) => builder.setEventTime(to, view.eventTimes![from]!));
  return builder.finish(new IdIndex(keys.map((key) => view.keys.idAt(key))));
}

/** The declared views of one kind of entity as of one time. */
export function buildDeclaredViews(
  { views }: PreparedDataset,
  entity: 'item' | 'user',
  options: { knownUntil: number },
): FeatureTable[] {
  return views.declared
    .filter(({ spec }) => spec.entity === entity)
    .map((view) => buildDeclaredView(view, options));
}

/** The view with its categories as the codes of a bundle's; what the bundle does not know has no value, as `push` would have it. */
export function recodeView(view: PreparedView, { fields }: FeatureView): PreparedView {
  return {
    ...view,
    columns: view.columns.map((column, index) => recode(column, fields[index]!.dictionary)),
  };
}

/**
 * The row of one id as of a time, under the view of a bundle, whose defaults stand in; an empty table where none was true by then.
 * @param view in the codes of the bundle
 * @param options.time Unix seconds; a row of this second was true by then
 * @param options.as has the fields of the prepared view, in its order
 */
export function buildRowAsOf(
  view: PreparedView,
  id: string,
  { time, as }: { time: number; as: FeatureView },
): FeatureTable {
  const key = view.keys.find(id);
  const from = key < 0 ? -1 : pickRow(view, key, time);
  const builder = createTableBuilder(as, from < 0 ? 0 : 1, { knownUntil: time });
  if (from < 0) return builder.finish(new IdIndex([]));
  const places = placesOf(as);
  as.fields.forEach((field, index) => {
    copyValue(builder, view.columns[index]!, { from, to: 0, index, place: places[index]!, field });
  });
  if (view.eventTimes !== undefined) builder.setEventTime(0, view.eventTimes[from]!);
  return builder.finish(new IdIndex([id]));
}

/** The row of each key, -1 where none was true yet. */
function pickRows(view: PreparedView, knownUntil: number): Int32Array {
  return Int32Array.from({ length: view.keys.size }, (_, key) => pickRow(view, key, knownUntil));
}

function pickRow({ offsets, eventTimes }: PreparedView, key: number, time: number): number {
  let row = offsets[key + 1]! - 1;
  if (eventTimes === undefined) return row;
  while (row >= offsets[key]! && eventTimes[row]! > time) row--;
  return row >= offsets[key]! ? row : -1;
}

/** A category as the codes of another dictionary; what that does not have is missing. */
function recode(column: PreparedColumn, dictionary: readonly string[] | undefined): PreparedColumn {
  const { values, missing, dictionary: own } = column;
  if (dictionary === undefined || own === undefined) return column;
  const codes = Int32Array.from(own, (value) => dictionary.indexOf(value));
  const codeOf = (row: number): number => (missing[row] === 1 ? -1 : codes[values[row]!]!);
  const recoded = Int32Array.from(values, (_, row) => codeOf(row));
  return { values: recoded, missing: Uint8Array.from(recoded, (code) => (code < 0 ? 1 : 0)), dictionary };
}

function declareView({ spec, columns }: PreparedView, taken: readonly number[]): FeatureView {
  const { rows: _, fields, ...rest } = spec;
  return {
    ...rest,
    file: `features/${spec.name}.parquet`,
    fields: fields.map((field, index) => declareField(field, columns[index]!, taken)),
  };
}

function declareField(
  { default: declared, ...field }: PreparedField,
  column: PreparedColumn,
  taken: readonly number[],
): FeatureField {
  const { dictionary } = column;
  if (dictionary !== undefined) {
    const code = declared === undefined ? NO_VALUE : dictionary.indexOf(String(declared).trim());
    return { ...field, default: code, dictionary };
  }
  if (declared !== undefined) return { ...field, default: Math.fround(Number(declared)) };
  if (field.type === 'boolean') return { ...field, default: NO_VALUE };
  if (field.type === 'vector') return { ...field, default: 0 };
  const mean = meanOf(column, taken);
  return { ...field, default: field.type === 'int32' ? Math.round(mean) : Math.fround(mean) };
}

function meanOf({ values, missing }: PreparedColumn, taken: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const row of taken) {
    if (missing[row] === 1) continue;
    sum += values[row]!;
    count++;
  }
  return sum / Math.max(1, count);
}

function copyValue(
  builder: TableBuilder,
  { values, missing }: PreparedColumn,
  target: { from: number; to: number; index: number; place: number; field: FeatureField },
): void {
  const { from, to, index, place, field } = target;
  if (missing[from] === 1) {
    builder.setDefault(to, index);
    return;
  }
  const width = widthOf(field);
  for (let component = 0; component < width; component++) {
    builder.set(to, place + component, values[from * width + component]!);
  }
}
