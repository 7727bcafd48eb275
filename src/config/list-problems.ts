import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { describeAllowed, type ValueSchema } from './describe-allowed.js';
import { showValue } from './show-value.js';

/** The shape that TypeBox gives to mappings, records and lists. */
export interface NodeSchema extends ValueSchema {
  readonly properties?: Readonly<Record<string, NodeSchema>>;
  readonly patternProperties?: Readonly<Record<string, NodeSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  /** Its value is shown in no message. */
  readonly secret?: boolean;
}

/**
 * Lists everything that keeps `value` from fitting the schema, one sentence each, with the key path, the value and what is allowed.
 * `origin` (a file or a variable) opens each sentence, `path` is where the value stands in it.
 * With `partial`, keys may be missing at any depth: a layer of several.
 */
export function listProblems(
  schema: TSchema,
  value: unknown,
  options: { origin: string; path?: readonly string[]; partial?: boolean },
): string[] {
  return problemsAt(schema as NodeSchema, value, options.path ?? [], options.partial ?? false).map(
    (problem) => `${options.origin}: ${problem}`,
  );
}

function problemsAt(schema: NodeSchema, value: unknown, path: readonly string[], partial: boolean): string[] {
  if (schema.properties !== undefined && isMapping(value))
    return mappingProblems(schema, value, path, partial);
  const [entry] = Object.values(schema.patternProperties ?? {});
  if (entry !== undefined && isMapping(value)) {
    return Object.entries(value).flatMap(([key, child]) => problemsAt(entry, child, [...path, key], partial));
  }
  const fits: boolean = Value.Check(schema as TSchema, value);
  if (fits) return [];
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema;
    const problems = value.flatMap((child, index) =>
      problemsAt(items, child, [...path, String(index)], partial),
    );
    if (problems.length > 0) return problems;
  }
  const shown = schema.secret === true ? 'not what it must be (its value is a secret)' : showValue(value);
  return [`${path.join('.')} is ${shown}, allowed is ${describeAllowed(schema)}`];
}

function mappingProblems(
  schema: NodeSchema,
  value: Record<string, unknown>,
  path: readonly string[],
  partial: boolean,
): string[] {
  const known = new Map(Object.entries(schema.properties!));
  const present = Object.keys(value).flatMap((key) => {
    const child = known.get(key);
    if (child === undefined)
      return [`${[...path, key].join('.')} is unknown; known are ${[...known.keys()].join(', ')}`];
    return problemsAt(child, value[key], [...path, key], partial);
  });
  return partial ? present : [...present, ...missingProblems(schema, value, path)];
}

function missingProblems(
  schema: NodeSchema,
  value: Record<string, unknown>,
  path: readonly string[],
): string[] {
  return (schema.required ?? [])
    .filter((key) => !Object.hasOwn(value, key))
    .map(
      (key) =>
        `${[...path, key].join('.')} is missing, allowed is ${describeAllowed(schema.properties![key]!)}`,
    );
}

/** A mapping as YAML gives it: a plain object. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
