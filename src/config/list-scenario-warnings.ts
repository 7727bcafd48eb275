import { parseIsoTime } from '../domain/parse-iso-time.js';
import type { RuleEntry, RuleSettings } from './rule-config.js';
import type { ScenarioConfig } from './scenario-config.js';

/** What warnings go by. */
export interface WarningOptions {
  /** Unix seconds: what ended before is past. */
  readonly now: number;
  /** Names of all scenarios, those that cannot be read too. */
  readonly names: readonly string[];
}

/** Lists what scenarios say without any effect, and the routes that no scenario answers; a sentence each. */
export function listScenarioWarnings(
  scenarios: Iterable<ScenarioConfig>,
  { now, names }: WarningOptions,
): string[] {
  return [
    ...Array.from(scenarios).flatMap((scenario) => listOwnWarnings(scenario, now)),
    ...Object.entries(ASKED_BY_ROUTES)
      .filter(([name]) => !names.includes(name))
      .map(([name, routes]) => `there is no scenario ${name}: ${routes} 400`),
  ];
}

/** Scenarios that routes ask for by themselves. */
const ASKED_BY_ROUTES = {
  home: 'recommendations that name no scenario are answered with',
  popular: 'GET /popular is answered with',
  similar: 'GET /items/:itemId/similar is answered with',
} as const;

function listOwnWarnings({ name, coldStart, rules }: ScenarioConfig, now: number): string[] {
  const timed = listTimedRules(rules);
  const warnings = [
    ...(coldStart === name ? ['coldStart names the scenario itself, which changes nothing'] : []),
    ...listSeenWarnings(rules),
    ...timed.flatMap((rule) => listConditionWarnings(rule, { scenario: name, now })),
    ...listPinWarnings(timed),
  ];
  return warnings.map((warning) => `scenario ${name}: ${warning}`);
}

/** A rule that names items or has conditions, with its place in the file. */
export interface TimedRule {
  /** As messages have it: `rules.6.pin`. */
  readonly place: string;
  readonly settings: Omit<RuleSettings['hide'], 'items'>;
  /** Ids that it names; absent where it goes by filters alone. */
  readonly items?: readonly string[] | undefined;
  /** Of a pin. */
  readonly position?: number;
  readonly hides: boolean;
}

/** The rules of a list that pin, hide or boost. */
export function listTimedRules(rules: readonly RuleEntry[]): TimedRule[] {
  return rules.flatMap((entry, index): TimedRule[] => {
    if (typeof entry === 'string') return [];
    const at = { place: `rules.${index}.${Object.keys(entry)[0]!}`, hides: 'hide' in entry };
    if ('pin' in entry) {
      const { item, position, ...settings } = entry.pin;
      return [{ ...at, settings, items: [item], position }];
    }
    if (!('hide' in entry || 'boost' in entry)) return [];
    const settings = 'hide' in entry ? entry.hide : entry.boost;
    return [{ ...at, settings, items: settings.items }];
  });
}

function listSeenWarnings(rules: readonly RuleEntry[]): string[] {
  if (!rules.includes('exclude-seen')) return [];
  return rules.flatMap((entry, index) =>
    typeof entry !== 'string' && 'seen' in entry
      ? [`rules.${index}.seen changes nothing: exclude-seen leaves out all that was seen`]
      : [],
  );
}

function listConditionWarnings(
  { place, settings: { until, when } }: TimedRule,
  { scenario, now }: { scenario: string; now: number },
): string[] {
  const isPast = until !== undefined && parseIsoTime(until) <= now;
  const isElsewhere = when?.scenario !== undefined && !when.scenario.includes(scenario);
  return [
    ...(isPast ? [`${place} ended at ${until}, and does nothing`] : []),
    ...(isElsewhere
      ? [
          `${place} does nothing: when.scenario is ${when.scenario!.join(', ')}, and these rules hold where ${scenario} is asked for`,
        ]
      : []),
  ];
}

function listPinWarnings(rules: readonly TimedRule[]): string[] {
  return rules.flatMap((pin, index) => {
    if (pin.position === undefined) return [];
    const [item] = pin.items!;
    const hiding = rules.find((rule) => rule.hides && rule.items?.includes(item!) && covers(rule, pin));
    const earlier = rules.slice(0, index).find((rule) => rule.position === pin.position && covers(rule, pin));
    return [
      ...(hiding === undefined ? [] : [`${pin.place} does nothing: ${hiding.place} hides ${item}`]),
      ...(earlier === undefined
        ? []
        : [
            `${pin.place} has place ${pin.position} only where the item of ${earlier.place} cannot be shown: of two pins of one place the first counts`,
          ]),
    ];
  });
}

/** Whether a rule is in force wherever another one is, as far as their texts tell. */
function covers(rule: TimedRule, other: TimedRule): boolean {
  const conditions = writeConditions(rule);
  return conditions === writeConditions({ settings: {} }) || conditions === writeConditions(other);
}

function writeConditions({ settings: { when = {}, from, until } }: Pick<TimedRule, 'settings'>): string {
  const { scenario = [], context = [], filter = [] } = when;
  const lists = [scenario, context, filter].map((texts) => texts.toSorted());
  return JSON.stringify([...lists, from, until]);
}
