import type { RuleEntry, RuleSettings } from './rule-config.js';
import type { ScenarioConfig } from './scenario-config.js';

const BASES = { user: 'what a user did', item: 'one item', nobody: 'nobody in particular' } as const;

/** What a scenario does, in a sentence for a person who did not write it. */
export function describeScenario({ basis = 'user', sources, rules, ...scenario }: ScenarioConfig): string {
  const asked = Object.entries(sources).map(([name, quota]) => `${name} (${quota})`);
  const ranked = scenario.ranker === 'bundle' ? 'ranks them by the model' : 'keeps the order of the sources';
  const parts = [
    `starts from ${BASES[basis]}`,
    `takes up to ${scenario.maxCandidates} candidates of ${join(asked)}`,
    ranked,
    ...rules.map(describeRule),
    ...(scenario.coldStart === undefined ? [] : [`leaves users without a history to ${scenario.coldStart}`]),
  ];
  return `${scenario.name} ${join(parts)}.`;
}

const PLAIN = {
  'exclude-seen': 'leaves out all that was seen',
  'exclude-requested': 'leaves out what the request excludes',
  'filter-attributes': 'keeps to the filters of the request',
} as const;

/** What a rule does, as the rest of a sentence whose subject is the scenario. */
export function describeRule(entry: RuleEntry): string {
  if (typeof entry === 'string') return PLAIN[entry];
  if ('seen' in entry) return describeSeen(entry.seen);
  if ('available' in entry) return describeAvailable(entry.available);
  if ('cap' in entry) {
    const { attribute, most, in: places } = entry.cap;
    return `shows at most ${most} with the same ${attribute} in ${places} places`;
  }
  if ('diversity' in entry) {
    const { strength, by, attributes = [] } = entry.diversity;
    const what = by === 'vectors' ? 'vectors' : attributes.length === 0 ? 'attributes' : join(attributes);
    return `keeps like from like by ${what} (strength ${strength})`;
  }
  if ('fresh' in entry) {
    const { halfLifeDays, strength } = entry.fresh;
    return `lifts what is new (half as fresh after ${halfLifeDays} days, strength ${strength})`;
  }
  if ('fatigue' in entry) {
    const { shown, days, strength } = entry.fatigue;
    return `sinks what was shown ${shown} times in ${days} days (strength ${strength})`;
  }
  return describeTimed(entry);
}

function describeSeen({ types, days }: RuleSettings['seen']): string {
  const what = types === undefined ? 'what was seen' : `what was of the type ${join(types, 'or')}`;
  return `leaves out ${what}${days === undefined ? '' : ` in the last ${days} days`}`;
}

function describeAvailable({ from, until }: RuleSettings['available']): string {
  const bounds = [
    ...(from === undefined ? [] : [`before \`${from}\``]),
    ...(until === undefined ? [] : [`from \`${until}\` on`]),
  ];
  return `leaves out items ${join(bounds)}`;
}

function describeTimed(
  entry: { pin: RuleSettings['pin'] } | { hide: RuleSettings['hide'] } | { boost: RuleSettings['boost'] },
): string {
  if ('pin' in entry) {
    const { item, position } = entry.pin;
    return `puts ${item} at place ${position}${describeDuring(entry.pin)}`;
  }
  if ('hide' in entry) return `hides ${describeItems(entry.hide)}${describeDuring(entry.hide)}`;
  const { strength } = entry.boost;
  const moves = strength < 0 ? 'sinks' : 'lifts';
  return `${moves} ${describeItems(entry.boost)} (strength ${strength})${describeDuring(entry.boost)}`;
}

type Timed = RuleSettings['hide'];

/** Items that are named one by one. */
const MOST_NAMED = 3;

function describeItems({ items, when }: Timed): string {
  const filters = when?.filter ?? [];
  const passing = filters.length === 0 ? '' : `with ${join(filters)}`;
  if (items === undefined) return `items ${passing}`;
  const named = items.length > MOST_NAMED ? `${items.length} items` : join(items);
  return passing === '' ? named : `${named} ${passing}`;
}

function describeDuring({ when = {}, from, until }: Omit<Timed, 'items'>): string {
  return [
    ...(when.scenario === undefined ? [] : [` in ${join(when.scenario, 'or')}`]),
    ...(when.context === undefined ? [] : [` where the context has ${join(when.context)}`]),
    ...(from === undefined ? [] : [` from ${from}`]),
    ...(until === undefined ? [] : [` until ${until}`]),
  ].join('');
}

function join(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`;
}
