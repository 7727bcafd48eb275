import type { ViewFieldConfig } from '../../../config/view-config.js';
import { quoteIdentifier } from '../database.js';
import { attributeColumn, kindOf, textColumn, UnusableType, type TypedColumn } from './typed-columns.js';

const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

/** Kinds of the numbers that a vector may be made of. */
const NUMBERS = ['integer', 'decimal', 'float', 'double'];

/**
 * One field of a view, in the type that it is declared to have: FLOAT, INTEGER, BOOLEAN, VARCHAR or FLOAT[].
 * @throws {UnusableType} for columns whose type can never be that
 */
export function fieldColumn(name: string, type: string, options: { field: ViewFieldConfig }): TypedColumn {
  const { field } = options;
  switch (field.type) {
    case 'float32':
      return float32Column(name, type);
    case 'int32':
      return int32Column(name, type);
    case 'boolean':
      return attributeColumn(name, type, { column: { role: 'boolean' } });
    case 'category':
      return textColumn(name, type, { role: 'category' });
    default:
      return vectorColumn(name, type, { length: field.length! });
  }
}

function float32Column(name: string, type: string): TypedColumn {
  const { sql, checks, ...number } = attributeColumn(name, type, { column: { role: 'numeric' } });
  const when = `${sql} IS NOT NULL AND TRY_CAST(${sql} AS FLOAT) IS NULL`;
  return {
    ...number,
    sql: `CAST(${sql} AS FLOAT)`,
    checks: [...checks, { when, says: '{value} is too large for a float32' }],
  };
}

function int32Column(name: string, type: string): TypedColumn {
  const { sql, checks, ...number } = attributeColumn(name, type, { column: { role: 'numeric' } });
  return {
    ...number,
    sql: `CAST(${sql} AS INTEGER)`,
    checks: [
      ...checks,
      { when: `${sql} <> trunc(${sql})`, says: '{value} is not a whole number' },
      {
        when: `${sql} = trunc(${sql}) AND ${sql} NOT BETWEEN ${MIN_INT32} AND ${MAX_INT32}`,
        says: `{value} does not fit an int32, which holds ${MIN_INT32} to ${MAX_INT32}`,
      },
    ],
  };
}

function vectorColumn(name: string, type: string, { length }: { length: number }): TypedColumn {
  const element = type.replace(/\[\d*\]$/, '');
  if (kindOf(type) !== 'list' || !NUMBERS.includes(kindOf(element)))
    throw new UnusableType('a list of numbers is wanted');
  const raw = quoteIdentifier(name);
  const numbers = `CAST(CAST(${raw} AS ${element}[]) AS DOUBLE[])`;
  const hasComponent = (that: string): string =>
    `len(list_filter(${numbers}, lambda component: ${that})) > 0`;
  return {
    name,
    sql: `CAST(${numbers} AS FLOAT[])`,
    checks: [
      {
        when: `len(${raw}) <> ${length}`,
        says: `{value} does not have ${length} components`,
      },
      {
        when: hasComponent('component IS NULL OR isnan(component)'),
        says: '{value} has a component that is null or NaN',
      },
      {
        when: hasComponent(
          'isinf(component) OR (NOT isnan(component) AND TRY_CAST(component AS FLOAT) IS NULL)',
        ),
        says: '{value} has a component that is infinite or too large for a float32',
      },
    ],
  };
}
