/**
 * The kind of a context field: `hour` and `weekday` are told from the time of the request, the others by the
 * client.
 */
export type ContextType = 'hour' | 'weekday' | 'numeric' | 'categorical';

/** One property of a request besides its subject: the hour, a device, a country. */
export interface ContextField {
  /** What requests and features call it; the hour and the weekday are called that. */
  readonly name: string;
  readonly type: ContextType;
  /** Of a categorical field: the values that are told apart, by code. Every other value is as good as none. */
  readonly values?: readonly string[];
}

/** The context that a dataset declares. */
export interface ContextSpec {
  /** IANA name of the time zone that hours and weekdays are of. */
  readonly timeZone: string;
  readonly fields: readonly ContextField[];
}

/**
 * The context of one request, a number per field of the spec: the hour (0–23), the weekday (1 for Monday to 7), the code of a
 * categorical value or a number; NaN where it is not known.
 */
export type ContextValues = Float32Array;

/** The context of each row of a table of interactions: what it was when the item was taken. */
export interface ContextTable extends ContextSpec {
  /** Per field, its value per row, as in ContextValues. */
  readonly columns: readonly Float32Array[];
}

/** One field of a request as the client says it. */
export interface GivenContext {
  readonly field: string;
  readonly value: string;
}

/** The context of one row. */
export function contextOf({ columns }: ContextTable, row: number): ContextValues {
  return Float32Array.from(columns, (values) => values[row]!);
}

/** A context as a client would say it; what is not known is left out. */
export function toGivenContext({ fields }: ContextSpec, context: ContextValues): GivenContext[] {
  return fields.flatMap(({ name, values }, index) => {
    const value = context[index]!;
    if (Number.isNaN(value)) return [];
    return [{ field: name, value: values === undefined ? String(value) : values[value]! }];
  });
}
