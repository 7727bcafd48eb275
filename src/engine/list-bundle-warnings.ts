import type { Manifest } from '../bundle/manifest.js';
import { listTimedRules } from '../config/list-scenario-warnings.js';
import type { RuleEntry } from '../config/rule-config.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';

/** What of a bundle warnings go by. */
export interface WarningFacts {
  readonly catalogue: Pick<Catalogue, 'entities'>;
  readonly manifest: { readonly histories: Pick<Manifest['histories'], 'types'> };
}

/** Lists what rules of scenarios name and a bundle does not have, where that leaves them without effect; a sentence each. */
export function listBundleWarnings(scenarios: Iterable<ScenarioConfig>, facts: WarningFacts): string[] {
  return Array.from(scenarios).flatMap(({ name, rules }) =>
    [...listUnknownItems(rules, facts), ...listUnknownTypes(rules, facts)].map(
      (warning) => `scenario ${name}: ${warning}`,
    ),
  );
}

/** Ids that are shown of a list. */
const MOST_SHOWN = 5;

function listUnknownItems(rules: readonly RuleEntry[], { catalogue }: WarningFacts): string[] {
  return listTimedRules(rules).flatMap(({ place, items = [] }) => {
    const ids = items.filter((id) => catalogue.entities.find(id) < 0);
    if (ids.length === 0) return [];
    const rest = ids.length > MOST_SHOWN ? ` and ${ids.length - MOST_SHOWN} more` : '';
    const shown = ids.slice(0, MOST_SHOWN).join(', ');
    return [
      `${place} names ${shown}${rest}, and the bundle has no such ${items.length === 1 ? 'item' : 'items'}`,
    ];
  });
}

function listUnknownTypes(rules: readonly RuleEntry[], { manifest }: WarningFacts): string[] {
  const known = manifest.histories.types ?? [];
  return rules.flatMap((entry, index) => {
    if (typeof entry === 'string' || !('seen' in entry)) return [];
    const unknown = (entry.seen.types ?? []).filter((type) => !known.includes(type));
    if (unknown.length === 0) return [];
    return [
      `rules.${index}.seen.types names ${unknown.join(', ')}, which the histories of the bundle do not have; they have ${known.join(', ') || 'no types'}`,
    ];
  });
}
