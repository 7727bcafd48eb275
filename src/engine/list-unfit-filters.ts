import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { toAttributeFilter } from '../domain/named-value.js';
import { findFilterMasks } from '../rules/filter-masks.js';

/** Lists the filters of scenarios that the attributes of a bundle cannot answer, a sentence each. */
export function listUnfitFilters(
  catalogue: Catalogue,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
): string[] {
  const { refuse } = findFilterMasks(catalogue);
  return [...scenarios.values()].flatMap(({ name, filters = [] }) =>
    filters.flatMap((text) => {
      const refusal = refuse(toAttributeFilter(text));
      return refusal === undefined ? [] : [`scenario ${name}: filters: ${refusal.message}`];
    }),
  );
}
