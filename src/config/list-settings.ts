import { isMapping, type NodeSchema } from './list-problems.js';
import type { SettingNotes } from './setting-notes.js';
import { SettingsSchema } from './settings.js';

/** One leaf of the settings. */
export interface Setting {
  readonly group: string;
  /** With dots where it lies deeper: `history.days`. */
  readonly key: string;
  readonly schema: NodeSchema & SettingNotes;
}

/** All settings in the order of the schema. */
export function listSettings(): Setting[] {
  const groups = Object.entries(SettingsSchema.properties as Record<string, NodeSchema>);
  return groups.flatMap(([group, { properties }]) =>
    listLeaves(properties!).map(([key, schema]) => ({ group, key, schema: schema as Setting['schema'] })),
  );
}

/** The value of a setting in what a file or all of them say; undefined where it is not said. */
export function findSetting(values: unknown, { group, key }: Pick<Setting, 'group' | 'key'>): unknown {
  return [group, ...key.split('.')].reduce(
    (value, name) => (isMapping(value) ? value[name] : undefined),
    values,
  );
}

function listLeaves(properties: Readonly<Record<string, NodeSchema>>): [key: string, schema: NodeSchema][] {
  return Object.entries(properties).flatMap(([key, schema]) =>
    schema.properties === undefined
      ? [[key, schema] as [string, NodeSchema]]
      : listLeaves(schema.properties).map(([inner, leaf]): [string, NodeSchema] => [`${key}.${inner}`, leaf]),
  );
}
