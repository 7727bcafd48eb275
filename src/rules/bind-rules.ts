import type { PlainRule, RuleEntry, RuleSettings } from '../config/rule-config.js';
import type { AttributeColumn, Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import { listFaults } from '../domain/list-faults.js';
import type { EligibilityRule } from './eligibility-rule.js';
import { attemptAll } from './attempt-all.js';
import { createAvailable } from './available.js';
import { createExcludeSettled, excludeSeen } from './exclude-items.js';
import { createHide } from './hide-items.js';
import { bindCondition, bindItems, type RuleCondition } from './rule-condition.js';
import type { RuleFacts } from './rule-facts.js';
import type { ScenarioRules } from './rules.js';
import { createSeen } from './seen.js';
import type { SlateRule } from './slate-rule.js';
import { createBoost } from './slate/boost.js';
import { createCap } from './slate/cap.js';
import {
  createAttributeLikeness,
  createDiversity,
  createVectorLikeness,
  type LikenessMaker,
} from './slate/diversity.js';
import { createFatigue } from './slate/fatigue.js';
import { createFresh } from './slate/fresh.js';
import { createPin } from './slate/pin.js';

/** A rule that is bound to a bundle. */
interface BoundRule {
  readonly eligibility?: EligibilityRule;
  readonly slate?: SlateRule;
  /** Of a rule that may begin or end. */
  readonly condition?: RuleCondition;
  /** Of a rule that changes with the time in another way: the same text while nothing changes. */
  readonly phaseAt?: (now: number) => string;
}

/**
 * Binds a checked list of rules to a bundle.
 * @returns the rules, without those that the bundle cannot have, and a sentence for each of these
 */
export function bindRules(
  entries: readonly RuleEntry[],
  facts: RuleFacts,
): { rules: ScenarioRules; problems: string[] } {
  const problems: string[] = [];
  const bound = entries.flatMap((entry) => {
    try {
      return [bindRule(entry, facts)];
    } catch (error) {
      const name = typeof entry === 'string' ? entry : Object.keys(entry)[0]!;
      problems.push(...listFaults(error).map((fault) => `rule ${name}: ${fault}`));
      return [];
    }
  });
  const phases = bound.flatMap(({ condition, phaseAt }) => phaseAt ?? toPhase(condition) ?? []);
  return {
    problems,
    rules: {
      eligibility: bound.flatMap(({ eligibility }) => eligibility ?? []),
      slate: bound.flatMap(({ slate }) => slate ?? []),
      fatigue: entries.flatMap((entry) =>
        typeof entry !== 'string' && 'fatigue' in entry ? entry.fatigue : [],
      )[0],
      readsTypes: entries.some((entry) =>
        typeof entry === 'string'
          ? entry === 'exclude-seen' && facts.target?.types !== undefined
          : 'seen' in entry,
      ),
      phaseAt: (now) => phases.map((phaseAt) => phaseAt(now)).join(''),
    },
  };
}

function toPhase(condition: RuleCondition | undefined): ((now: number) => string) | undefined {
  const isWithin = condition?.isWithin;
  return isWithin && ((now) => (isWithin(now) ? '1' : '0'));
}

/** @throws ShortlistError saying all that the rule needs and the bundle does not have */
function bindRule(entry: RuleEntry, facts: RuleFacts): BoundRule {
  if (typeof entry === 'string') return bindPlain(entry, facts);
  const { catalogue } = facts;
  if ('seen' in entry) return { eligibility: createSeen(entry.seen) };
  if ('available' in entry) {
    const available = createAvailable(entry.available, catalogue);
    return { eligibility: available, phaseAt: (now) => available.phaseAt(now) };
  }
  if ('cap' in entry) return { slate: createCap(entry.cap, findCoded(entry.cap.attribute, catalogue)) };
  if ('diversity' in entry) {
    const compare = bindLikeness(entry.diversity, facts);
    return { slate: createDiversity(entry.diversity, { compare, entities: catalogue.entities }) };
  }
  if ('fresh' in entry) {
    if (facts.ageDaysOf === undefined)
      throw lacking('the items view of the bundle has no age_log_days; train and publish again');
    return { slate: createFresh(entry.fresh, facts.ageDaysOf) };
  }
  if ('fatigue' in entry) return { slate: createFatigue(entry.fatigue) };
  return bindTimed(entry, facts);
}

function bindPlain(name: PlainRule, { target }: RuleFacts): BoundRule {
  // The other two hold in every scenario; files of before name them.
  if (name !== 'exclude-seen') return {};
  return {
    eligibility: target?.types === undefined ? excludeSeen : createExcludeSettled(target.types),
  };
}

type TimedEntry = Extract<RuleEntry, { pin: unknown } | { hide: unknown } | { boost: unknown }>;

function bindTimed(entry: TimedEntry, facts: RuleFacts): BoundRule {
  const { catalogue } = facts;
  const settings = 'pin' in entry ? entry.pin : 'hide' in entry ? entry.hide : entry.boost;
  const items = 'pin' in entry ? [entry.pin.item] : 'hide' in entry ? entry.hide.items : entry.boost.items;
  const [condition, meant] = bindBoth(
    () => bindCondition(settings, facts),
    () => bindItems({ items, when: settings.when }, catalogue),
  );
  if ('pin' in entry) {
    const found = catalogue.entities.find(entry.pin.item);
    const item = meant.has(found) ? found : -1;
    return { condition, slate: createPin({ item, position: entry.pin.position }, condition) };
  }
  if ('hide' in entry) return { condition, eligibility: createHide(condition, meant) };
  return { condition, slate: createBoost(entry.boost, { condition, meant }) };
}

/** What is wrong with either is told. */
function bindBoth<A, B>(bindOne: () => A, bindOther: () => B): [A, B] {
  return attemptAll<A | B>([bindOne, bindOther]) as [A, B];
}

function bindLikeness(
  { by, attributes }: RuleSettings['diversity'],
  { catalogue, vectors }: RuleFacts,
): LikenessMaker {
  if (by === 'vectors') {
    if (vectors !== undefined) return createVectorLikeness(vectors);
    throw lacking('the bundle has no vectors of items, of als or onnx-encoder; say by: attributes');
  }
  const columns =
    attributes === undefined
      ? listCoded(catalogue)
      : attemptAll(attributes.map((name) => () => findCoded(name, catalogue)));
  if (columns.length > 0) return createAttributeLikeness(columns.map(({ coded }) => coded!));
  throw lacking('no attribute of the items has a vocabulary; say by: vectors');
}

function findCoded(name: string, catalogue: Catalogue): AttributeColumn {
  const found = listCoded(catalogue).find((attribute) => attribute.name === name);
  if (found !== undefined) return found;
  const known = listCoded(catalogue).map((attribute) => attribute.name);
  throw lacking(
    `the items have no categorical, multi-valued or boolean attribute ${name}; they have ${known.join(', ') || 'none'}`,
  );
}

function listCoded({ attributes }: Catalogue): AttributeColumn[] {
  return attributes.filter(({ coded }) => coded !== undefined);
}

function lacking(message: string): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', message);
}
