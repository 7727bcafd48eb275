import type { TowerConfig } from '../config/encoder-config.js';
import type { UserValues } from '../domain/candidate.js';
import { ShortlistError } from '../domain/errors.js';
import {
  defaultRowOf,
  placesOf,
  widthOf,
  type FeatureField,
  type FeatureView,
} from '../features/feature-view.js';

type UserField = NonNullable<TowerConfig['userFeatures']>['fields'][number];

/** Fields of user views as the columns of a model's input. */
export interface UserColumns {
  /** How many there are. */
  readonly count: number;
  /**
   * Their values.
   * @param values what the views say of a user; undefined for somebody of whom they say nothing
   * @throws ShortlistError SOURCE_FAILED when a view that is asked was not read
   */
  read(values: UserValues | undefined): Float32Array;
}

/** Copies one field out of a row of its view. */
interface ColumnCopy {
  readonly view: FeatureView;
  readonly place: number;
  readonly width: number;
  /** Of a category: its value to the model by code. */
  readonly codes: readonly number[] | undefined;
  readonly otherwise: number;
}

/** @throws ShortlistError INVALID_BUNDLE with every view or field that is not there, or not as it is said to be */
export function createUserColumns(fields: readonly UserField[], views: readonly FeatureView[]): UserColumns {
  const found = fields.map((field) => findColumn(field, views));
  const problems = found.filter((column) => typeof column === 'string');
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_BUNDLE', 'The user features of onnx-encoder cannot be read:', {
      problems,
    });
  }
  const columns = found.filter((column) => typeof column !== 'string');
  const count = columns.reduce((sum, { width }) => sum + width, 0);
  return {
    count,
    read: (values) => {
      const target = new Float32Array(count);
      let at = 0;
      for (const { view, place, width, codes, otherwise } of columns) {
        const row = values === undefined ? defaultRowOf(view) : rowOf(values, view);
        for (let from = place; from < place + width; from++) {
          target[at++] = codes === undefined ? row[from]! : (codes[row[from]!] ?? otherwise);
        }
      }
      return target;
    },
  };
}

function rowOf(values: UserValues, { name }: FeatureView): Float32Array {
  const row = values.get(name);
  if (row !== undefined) return row;
  throw new ShortlistError('SOURCE_FAILED', `The feature view '${name}', which onnx-encoder reads, failed.`);
}

/** The column, or what is wrong with it. */
function findColumn(
  { view: called, field: name, codes, otherwise = 0 }: UserField,
  views: readonly FeatureView[],
) {
  const view = views.find((each) => each.name === called);
  if (view === undefined) {
    return `there is no view '${called}' of users, only ${views.map((each) => each.name).join(', ')}`;
  }
  const index = view.fields.findIndex((field) => field.name === name);
  const field = view.fields[index];
  if (field === undefined) {
    return `view '${called}' has no field '${name}', only ${view.fields.map((each) => each.name).join(', ')}`;
  }
  const problem = findCodeProblem(field, codes);
  if (problem !== undefined) return `field '${name}' of view '${called}' ${problem}`;
  const column: ColumnCopy = {
    view,
    place: placesOf(view)[index]!,
    width: widthOf(field),
    codes: codes && field.dictionary!.map((value) => codes[value] ?? otherwise),
    otherwise,
  };
  return column;
}

/** The numbers of categories are the bundle's own and change with its data, so a model cannot have learned them. */
function findCodeProblem({ type, dictionary }: FeatureField, codes: UserField['codes']): string | undefined {
  if (type !== 'category') return codes === undefined ? undefined : `is ${type}, and has no codes`;
  if (codes === undefined) return 'is a category: say with codes what its values are to the model';
  const known = Object.keys(codes).some((value) => dictionary!.includes(value));
  return known
    ? undefined
    : `has none of the values ${Object.keys(codes).join(', ')}, only ${dictionary!.join(', ')}`;
}
