import type { Override, OverridesDocument } from '../config/override-config.js';
import { listFaults } from '../domain/list-faults.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import type { EligibilityRule } from './eligibility-rule.js';
import { type OverrideCheck, placeOf } from './overrides.js';
import {
  createItemBinder,
  isMeant,
  type ItemBinder,
  type OverrideItems,
  type PassingItems,
} from './override-items.js';
import { bindCondition, type RuleCondition } from './rule-condition.js';
import type { RuleFacts, RuleMoment } from './rule-facts.js';
import type { ScenarioRules } from './rules.js';
import type { PinStep, RankedSlate, SlatePlaces, SlateRule, SlateStep } from './slate-rule.js';

/** Overrides that are bound to a bundle. */
export interface BoundOverrides extends OverrideCheck {
  /** The rules of a scenario with the overrides before them. */
  before(scenario: string, own: ScenarioRules): ScenarioRules;
}

/** An override that the bundle can have. */
interface Bound {
  readonly override: Override;
  readonly condition: RuleCondition;
  readonly meant: OverrideItems;
  /** Goes behind what a rule says of a move. */
  readonly reason: string;
}

/**
 * Binds overrides to a bundle. However many there are, a scenario has three rules of them at most: what one request costs grows with what
 * concerns its slate.
 */
export function bindOverrides({ overrides }: OverridesDocument, facts: RuleFacts): BoundOverrides {
  const ineffective: string[] = [];
  const bind = createItemBinder(facts.catalogue);
  const bound = overrides.flatMap((override, index) => {
    try {
      return [bindOne(override, index, { facts, bind })];
    } catch (error) {
      ineffective.push(`${placeOf(index, override)}: ${listFaults(error).join('; ')}`);
      return [];
    }
  });
  return {
    ineffective,
    unknown: overrides.flatMap((override, index) => listUnknown(override, index, facts)),
    before: (scenario, own) => combine(bound.filter(isOf(scenario)), own, facts),
  };
}

function settingsOf({ hide, pin, boost }: Override) {
  return hide ?? pin ?? boost!;
}

function itemsOf({ hide, pin, boost }: Override): readonly string[] | undefined {
  return pin === undefined ? (hide ?? boost)!.items : [pin.item];
}

/** @throws ShortlistError saying what the override needs and the bundle does not have */
function bindOne(
  override: Override,
  index: number,
  { facts, bind }: { facts: RuleFacts; bind: ItemBinder },
): Bound {
  const settings = settingsOf(override);
  const name = override.why === undefined ? `override ${index}` : `override ${index}: ${override.why}`;
  return {
    override,
    condition: bindCondition(settings, facts),
    meant: bind({ ids: itemsOf(override), when: settings.when }),
    reason: name,
  };
}

function listUnknown(override: Override, index: number, { catalogue }: RuleFacts): string[] {
  const ids = (itemsOf(override) ?? []).filter((id) => catalogue.entities.find(id) < 0);
  if (ids.length === 0) return [];
  const [shown, rest] = [ids.slice(0, MOST_SHOWN).join(', '), ids.length - MOST_SHOWN];
  return [
    `${placeOf(index, override)} names ${shown}${rest > 0 ? ` and ${rest} more` : ''}, and the bundle has no such items`,
  ];
}

const MOST_SHOWN = 5;

function isOf(scenario: string): (bound: Bound) => boolean {
  return ({ override }) => settingsOf(override).when?.scenario?.includes(scenario) ?? true;
}

function combine(bound: readonly Bound[], own: ScenarioRules, facts: RuleFacts): ScenarioRules {
  const hides = bound.filter(({ override }) => override.hide !== undefined);
  const pins = bound.filter(({ override }) => override.pin !== undefined);
  const boosts = bound.filter(({ override }) => override.boost !== undefined);
  const changes = listChanges(bound);
  return {
    eligibility: [...own.eligibility, ...(hides.length > 0 ? [createHiding(hides)] : [])],
    slate: [
      ...(pins.length > 0 ? [createPinning(pins, facts)] : []),
      ...(boosts.length > 0 ? [createBoosting(boosts)] : []),
      ...own.slate,
    ],
    readsTypes: own.readsTypes,
    fatigue: own.fatigue,
    phaseAt: (now) => `${changes.findLastIndex((time) => time <= now)} ${own.phaseAt(now)}`,
  };
}

/** The times (Unix seconds) at which overrides begin or end, in order. */
function listChanges(bound: readonly Bound[]): number[] {
  const times = bound.flatMap(({ override }) => {
    const { from, until } = settingsOf(override);
    return [from, until].filter((text) => text !== undefined).map(parseIsoTime);
  });
  return [...new Set(times)].sort((a, b) => a - b);
}

/** Overrides of one condition, with the items that they mean. */
interface Group {
  readonly condition: RuleCondition;
  readonly bound: readonly Bound[];
}

function groupByCondition(bound: readonly Bound[]): Group[] {
  const groups = groupBy(bound, ({ override }) => {
    const { when, from, until } = settingsOf(override);
    return JSON.stringify([when?.context, from, until]);
  });
  return Array.from(groups.values(), (group) => ({ condition: group[0]!.condition, bound: group }));
}

/** Hides of one condition are one: a thousand of them are one pass over what they hide. */
function createHiding(hides: readonly Bound[]): EligibilityRule {
  const groups = groupByCondition(hides).map(({ condition, bound }) => ({
    condition,
    named: new Set(bound.flatMap(({ meant }) => [...(meant.named ?? [])])),
    passing: new Set(bound.flatMap(({ meant }) => meant.passing ?? [])),
  }));
  return {
    name: 'hide',
    apply: (eligible, { moment }) => {
      const lists = new Set<PassingItems>();
      for (const { condition, named, passing } of groups) {
        if (!condition.holds(moment)) continue;
        for (const item of named) eligible[item] = 0;
        for (const each of passing) lists.add(each);
      }
      for (const { list } of lists) for (const item of list) eligible[item] = 0;
    },
    explain: (item, { moment }) =>
      hides.find(({ meant, condition }) => isMeant(meant, item) && condition.holds(moment))?.reason,
  };
}

function groupBy<T, Key>(values: readonly T[], keyOf: (value: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** A pin, by the item index that it means. */
interface BoundPin extends Bound {
  readonly item: number;
}

/** Of the pins of a place the first counts that is in force and whose item may be shown: one item for each place of a slate at most. */
function createPinning(pins: readonly Bound[], { catalogue }: RuleFacts): SlateRule {
  const known = pins
    .map((pin): BoundPin => ({ ...pin, item: catalogue.entities.find(pin.override.pin!.item) }))
    .filter(({ item, meant }) => item >= 0 && isMeant(meant, item));
  const byPosition = groupBy(known, ({ override }) => override.pin!.position);
  const positions = [...byPosition.keys()].sort((a, b) => a - b);

  function choose(
    moment: RuleMoment,
    { before, end }: { before: number; end: number },
    canBe: (item: number) => boolean,
  ): BoundPin[] {
    const chosen = new Map<number, BoundPin>();
    for (const position of positions) {
      if (position <= before) continue;
      if (position > end) break;
      const pin = byPosition
        .get(position)!
        .find(({ item, condition }) => !chosen.has(item) && condition.holds(moment) && canBe(item));
      if (pin !== undefined) chosen.set(pin.item, pin);
    }
    return [...chosen.values()];
  }

  return {
    name: 'pin',
    findWanted: (moment, places, eligible) =>
      choose(moment, withinOf(places), (item) => eligible[item] === 1).map(({ item, override }) => ({
        item,
        place: override.pin!.position - 1 - places.before,
      })),
    begin: (slate) =>
      // Those behind the slate too, which are kept for a later page.
      choose(
        slate.moment,
        { before: slate.before, end: Number.POSITIVE_INFINITY },
        (item) => slate.rankOf(item) >= 0,
      ).map((pin) => toStep(pin, slate)),
  };
}

function withinOf({ before, limit }: SlatePlaces): { before: number; end: number } {
  return { before, end: before + limit };
}

function toStep({ item, override, reason }: BoundPin, slate: RankedSlate): PinStep {
  const rank = slate.rankOf(item);
  const { position } = override.pin!;
  return {
    kind: 'pin',
    name: 'pin',
    rank,
    place: position - 1 - slate.before,
    explain: (other) => (other === rank ? `place ${position} (${reason})` : undefined),
  };
}

/** Strengths of the boosts of one condition. */
interface Strengths {
  readonly condition: RuleCondition;
  /** By item index. */
  readonly named: ReadonlyMap<number, number>;
  readonly passing: ReadonlyMap<PassingItems, number>;
}

/** All boosts at once: their strengths add up. */
function createBoosting(boosts: readonly Bound[]): SlateRule {
  const groups = groupByCondition(boosts).map(addUp);
  return {
    name: 'boost',
    begin: ({ items, moment }): SlateStep | undefined => {
      const inForce = groups.filter(({ condition }) => condition.holds(moment));
      if (inForce.length === 0) return undefined;
      const added = sumStrengths(inForce, items);
      if (added.every((strength) => strength === 0)) return undefined;
      return {
        kind: 'worth',
        name: 'boost',
        change: (worth) => {
          for (let rank = 0; rank < worth.length; rank++) worth[rank]! += added[rank]!;
        },
        explain: (rank) => explainBoost(boosts, items[rank]!, moment),
      };
    },
  };
}

function addUp({ condition, bound }: Group): Strengths {
  const named = new Map<number, number>();
  const passing = new Map<PassingItems, number>();
  for (const { meant, override } of bound) {
    const { strength } = override.boost!;
    for (const item of meant.named ?? []) named.set(item, (named.get(item) ?? 0) + strength);
    if (meant.passing !== undefined) passing.set(meant.passing, (passing.get(meant.passing) ?? 0) + strength);
  }
  return { condition, named, passing };
}

/** @returns per rank */
function sumStrengths(groups: readonly Strengths[], items: Int32Array): Float64Array {
  const added = new Float64Array(items.length);
  const rankOf = new Map(Array.from(items, (item, rank) => [item, rank]));
  for (const { named, passing } of groups) {
    if (named.size < items.length) {
      for (const [item, strength] of named) {
        const rank = rankOf.get(item);
        if (rank !== undefined) added[rank]! += strength;
      }
    } else {
      for (let rank = 0; rank < items.length; rank++) added[rank]! += named.get(items[rank]!) ?? 0;
    }
    for (const [{ mask }, strength] of passing)
      for (let rank = 0; rank < items.length; rank++) added[rank]! += strength * mask[items[rank]!]!;
  }
  return added;
}

function explainBoost(boosts: readonly Bound[], item: number, moment: RuleMoment): string | undefined {
  const meaning = boosts.filter(({ meant, condition }) => isMeant(meant, item) && condition.holds(moment));
  const [shown, rest] = [meaning.slice(0, MOST_SHOWN), meaning.length - MOST_SHOWN];
  const texts = shown.map(({ override, reason }) => `strength ${override.boost!.strength} (${reason})`);
  return [...texts, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') || undefined;
}
