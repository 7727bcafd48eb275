import { showValue } from '../../config/show-value.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ScenarioRules } from '../../rules/rules.js';
import type { SlateRule, SlateStep } from '../../rules/slate-rule.js';
import type { Engine } from '../engine.js';
import { findScenario } from '../choose-scenario.js';
import type { ScenarioChanges } from './inspection.js';

/** Rules that have a strength. */
const STRONG = ['boost', 'diversity', 'fatigue', 'fresh'];

/**
 * The engine as it would be with another scenario: nothing else changes, and requests of others do not see it.
 * @throws ShortlistError UNKNOWN_SCENARIO; INVALID_REQUEST naming every source and rule that the scenario does not have
 */
export function changeScenario(engine: Engine, name: string, changes: ScenarioChanges): Engine {
  const requested = findScenario(name, engine);
  const rules = engine.rules.get(name)!;
  const coldStart = requested.coldStart === undefined ? undefined : engine.scenarios.get(requested.coldStart);
  refuseUnknown(changes, {
    sources: [requested, ...(coldStart ? [coldStart] : [])].flatMap(({ sources }) => Object.keys(sources)),
    knownSources: [...engine.sources.keys()],
    rules: [...rules.eligibility, ...rules.slate].map((rule) => rule.name),
  });
  const changed = changeSources(requested, changes);
  if (Object.keys(changed.sources).length === 0)
    throw new ShortlistError('INVALID_REQUEST', `without.sources leaves the scenario '${name}' no source.`);
  const scenarios = new Map(engine.scenarios).set(name, changed);
  if (coldStart !== undefined) {
    const other = changeSources(coldStart, changes);
    if (Object.keys(other.sources).length > 0) scenarios.set(coldStart.name, other);
  }
  const changedRules = changeRules(rules, changes);
  return {
    ...engine,
    scenarios,
    rules: { ...engine.rules, get: (asked) => (asked === name ? changedRules : engine.rules.get(asked)) },
  };
}

function changeSources(
  scenario: ScenarioConfig,
  { withoutSources, quotas }: ScenarioChanges,
): ScenarioConfig {
  const sources = Object.fromEntries(
    Object.entries({ ...scenario.sources, ...quotas }).filter(([source]) => !withoutSources.includes(source)),
  );
  return { ...scenario, sources };
}

function changeRules(rules: ScenarioRules, { withoutRules, strengths }: ScenarioChanges): ScenarioRules {
  const isLeft = ({ name }: { readonly name: string }): boolean => !withoutRules.includes(name);
  return {
    ...rules,
    eligibility: rules.eligibility.filter(isLeft),
    slate: rules.slate.filter(isLeft).map((rule) => {
      const factor = strengths[rule.name];
      return factor === undefined ? rule : strengthen(rule, factor);
    }),
  };
}

/** The rule with each of its steps as many times as strong. */
function strengthen(rule: SlateRule, factor: number): SlateRule {
  return {
    ...rule,
    begin: (slate) => {
      const steps = rule.begin(slate) ?? [];
      return (Array.isArray(steps) ? (steps as readonly SlateStep[]) : [steps as SlateStep]).map((step) =>
        strengthenStep(step, factor),
      );
    },
  };
}

function strengthenStep(step: SlateStep, factor: number): SlateStep {
  if (step.kind === 'distance') return { ...step, strength: Math.min(1, factor * step.strength) };
  if (step.kind !== 'worth') return step;
  return {
    ...step,
    change: (worth) => {
      const before = worth.slice();
      step.change(worth);
      for (let rank = 0; rank < worth.length; rank++)
        worth[rank] = before[rank]! + factor * (worth[rank]! - before[rank]!);
    },
  };
}

function refuseUnknown(
  { withoutSources, withoutRules, quotas, strengths }: ScenarioChanges,
  known: { sources: readonly string[]; knownSources: readonly string[]; rules: readonly string[] },
): void {
  const strong = known.rules.filter((rule) => STRONG.includes(rule));
  const problems = [
    ...listUnknown('without.sources', withoutSources, known.sources),
    ...listUnknown('without.rules', withoutRules, known.rules),
    ...listUnknown('quotas', Object.keys(quotas), known.knownSources),
    ...listUnknown('strengths', Object.keys(strengths), strong),
  ];
  if (problems.length === 0) return;
  throw new ShortlistError('INVALID_REQUEST', 'The scenario cannot be changed so:', { problems });
}

function listUnknown(field: string, names: readonly string[], known: readonly string[]): string[] {
  const allowed = [...new Set(known)].join(', ') || 'none';
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `${field} has ${showValue(name)}, allowed are ${allowed}`);
}
