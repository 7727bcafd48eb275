import type { FeatureGroup } from '../feature-group.js';
import type { FeatureTable } from '../feature-table.js';

/** The columns of the items view, one value per candidate. */
export function createItemFeatures(items: FeatureTable): FeatureGroup {
  return {
    name: 'item',
    features: items.view.fields.map((field) => `item.${field.name}`),
    fill: ({ candidates }, write) => {
      items.columns.forEach((column, feature) => {
        for (let row = 0; row < candidates.items.length; row++)
          write(row, feature, column[candidates.items[row]!]!);
      });
    },
  };
}

/**
 * The columns of the users view, the same value for every candidate: those that an online store gave, else those of the
 * bundle. An unknown user has the declared defaults.
 */
export function createUserFeatures(users: FeatureTable): FeatureGroup {
  return {
    name: 'user',
    features: users.view.fields.map((field) => `user.${field.name}`),
    fill: ({ candidates, userIndex, userValues }, write) => {
      users.columns.forEach((column, feature) => {
        const value = userValues?.[feature] ?? column[userIndex] ?? users.view.fields[feature]!.default;
        for (let row = 0; row < candidates.items.length; row++) write(row, feature, value);
      });
    },
  };
}
