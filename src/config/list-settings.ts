import type { NodeSchema } from './list-problems.js';
import type { SettingNotes } from './setting-notes.js';
import { SettingsSchema } from './settings.js';

/** One leaf of the settings. */
export interface Setting {
  readonly group: string;
  readonly key: string;
  readonly schema: NodeSchema & SettingNotes;
}

/** All settings in the order of the schema. */
export function listSettings(): Setting[] {
  const groups = Object.entries(SettingsSchema.properties as Record<string, NodeSchema>);
  return groups.flatMap(([group, { properties }]) =>
    Object.entries(properties!).map(([key, schema]) => ({ group, key, schema: schema as Setting['schema'] })),
  );
}
