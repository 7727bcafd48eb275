import { ALS } from '../candidates/als.js';
import { ONNX_ENCODER } from '../candidates/onnx-encoder.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { findColumn } from '../features/find-column.js';
import { bindRules } from '../rules/bind-rules.js';
import type { ItemVectors, RuleFacts } from '../rules/rule-facts.js';
import type { OverridesInForce } from '../rules/overrides.js';
import { createRuleBook, type RuleBook } from '../rules/rule-book.js';
import { listServedSources } from './open-candidate-sources.js';
import { type BundleContents, parseArtefact } from './read-bundle.js';

/** What rules come from. */
export interface RuleOptions {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** What is put before the rules of scenarios; absent where nothing is. */
  readonly overrides?: OverridesInForce | undefined;
}

/** The rules of every scenario, bound to a bundle, and what of them the bundle cannot have: a sentence each. */
export interface OpenedRules {
  readonly rules: RuleBook;
  readonly problems: readonly string[];
}

/**
 * @param contents whose artefacts were opened by their sources: what is wrong with one was told there
 * @param options.overrides absent where nothing is overridden
 */
export function openRules(
  contents: BundleContents,
  catalogue: Catalogue,
  { scenarios, overrides }: RuleOptions,
): OpenedRules {
  const facts = readFacts(contents, catalogue, scenarios);
  const bound = Array.from(scenarios, ([name, { rules }]) => [name, bindRules(rules, facts)] as const);
  return {
    rules: createRuleBook(new Map(bound.map(([name, { rules }]) => [name, rules])), facts, overrides),
    problems: bound.flatMap(([name, { problems }]) =>
      problems.map((problem) => `scenario ${name}: ${problem}`),
    ),
  };
}

function readFacts(
  contents: BundleContents,
  catalogue: Catalogue,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
): RuleFacts {
  const { manifest, tables } = contents;
  const items = tables.get('items');
  const logDaysOf = items && findColumn(items, AGE);
  const needsVectors = [...scenarios.values()].some(({ rules }) => rules.some(isByVectors));
  return {
    catalogue,
    context: manifest.context,
    target: manifest.interactions?.target,
    ageDaysOf: logDaysOf && ((item) => Math.expm1(logDaysOf(item))),
    vectors: needsVectors ? readVectors(contents) : undefined,
  };
}

/** Log1p of the days since an item was first touched. */
const AGE = 'age_log_days';

function isByVectors(rule: ScenarioConfig['rules'][number]): boolean {
  return typeof rule !== 'string' && 'diversity' in rule && rule.diversity.by === 'vectors';
}

/** Those of `als`, or else of an imported encoder: views of the tensors, no copies. */
function readVectors(contents: BundleContents): ItemVectors | undefined {
  const served = listServedSources(contents.manifest);
  if (served.includes('als')) {
    const factors = parseArtefact(contents, ALS.file).tensors.get('factors');
    return factors && { values: factors.data as Float32Array, dimensions: factors.shape[1]! };
  }
  if (!served.includes('onnx-encoder')) return undefined;
  const { tensors } = parseArtefact(contents, ONNX_ENCODER.file);
  const [vectors, items] = [tensors.get('vectors'), tensors.get('items')];
  if (vectors === undefined || items === undefined) return undefined;
  const rowOf = new Int32Array(contents.catalogue!.entities.size).fill(-1);
  items.data.forEach((item, row) => (rowOf[item] = row));
  return { values: vectors.data as Float32Array, dimensions: vectors.shape[1]!, rowOf };
}
