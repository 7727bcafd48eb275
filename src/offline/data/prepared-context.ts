import type { DuckDBValue } from '@duckdb/node-api';
import { Type, type Static } from 'typebox';
import type { ContextSpec, ContextTable } from '../../domain/context.js';
import { createLocalClock } from '../../domain/local-time.js';
import { quoteIdentifier } from './database.js';

/** The context as it was declared, and the values that are told apart. */
export const PreparedContext = Type.Object({
  timeZone: Type.String(),
  fields: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum(['hour', 'weekday', 'numeric', 'categorical']),
      values: Type.Optional(Type.Array(Type.String())),
    }),
  ),
});

/** The context of a prepared dataset, typed as its schema says. */
export type PreparedContext = Static<typeof PreparedContext>;

/** One field of the context of every interaction, as it is read from the table. */
export interface ContextColumn {
  /** SQL of what it is filled with. */
  readonly column: string;
  readonly values: ContextTable['columns'][number];
  readonly fill: (block: readonly DuckDBValue[], position: number) => void;
}

/** Room for a field of so many rows; the hour and the weekday are made of the time of a row. */
export function createContextColumn(
  { name, type, values: known = [] }: ContextSpec['fields'][number],
  { context, rows }: { context: ContextSpec; rows: number },
): ContextColumn {
  const values = new Float32Array(rows);
  const fillWith = (read: (value: DuckDBValue) => number): ContextColumn['fill'] => {
    return (block, position) =>
      block.forEach((value, at) => (values[position + at] = value === null ? Number.NaN : read(value)));
  };
  if (type === 'hour' || type === 'weekday') {
    const clock = createLocalClock(context.timeZone);
    return { column: 'timestamp', values, fill: fillWith((time) => clock(time as number)[type]) };
  }
  const column = quoteIdentifier(name);
  if (type === 'numeric') return { column, values, fill: fillWith(Number) };
  const codes = new Map(known.map((value, code) => [value, code]));
  return { column, values, fill: fillWith((value) => codes.get(value as string) ?? Number.NaN) };
}
