/** One event of a test as a row of a compacted file. */
export interface EventRow {
  readonly user?: string | undefined;
  readonly session?: string | undefined;
  readonly item?: string | undefined;
  readonly type?: string | undefined;
  readonly value?: number | 'NaN';
  /** Unix seconds. */
  readonly time?: number | undefined;
  readonly context?: Readonly<Record<string, unknown>> | string;
}

/** A SELECT that gives these events with the columns that `shortlist events compact` writes. */
export function compacted(...events: readonly EventRow[]): { parquet: string } {
  const rows = events.map(
    ({ user, session, item, type, value, time, context }, index) =>
      `(${[
        text(user),
        text(session),
        text(item),
        text(type),
        value === undefined ? 'NULL' : `'${value}'::DOUBLE`,
        time ?? 'NULL',
        `'e${index}'`,
        'NULL',
        text(typeof context === 'object' ? JSON.stringify(context) : context),
      ].join(', ')})`,
  );
  return {
    parquet:
      'SELECT "user"::VARCHAR AS "user", "session"::VARCHAR AS "session", item::VARCHAR AS item, "type"::VARCHAR AS "type", ' +
      '"value"::DOUBLE AS "value", "time"::DOUBLE AS "time", event_id, slate_id::VARCHAR AS slate_id, context::VARCHAR AS context ' +
      `FROM (VALUES ${rows.join(', ')}) AS event("user", "session", item, "type", "value", "time", event_id, slate_id, context)`,
  };
}

function text(value: string | undefined): string {
  return value === undefined ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}
