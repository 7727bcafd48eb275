import type { RuleEntry } from '../../src/config/rule-config.js';
import type { AttributeColumn } from '../../src/domain/catalogue.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { arrange, type ArrangingQuery } from '../../src/pipeline/arrange.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import type { RuleFacts, RuleMoment } from '../../src/rules/rule-facts.js';
import { attribute } from './small-world.js';

/** The moment of a request for home, without context, at Unix second 0. */
export const MOMENT: RuleMoment = { scenario: 'home', context: new Float32Array(), now: 0 };

/** A bundle of items that are called by one letter each, `a` first. */
export function letterFacts(
  brands: string,
  options: { tags?: (readonly string[] | undefined)[]; ages?: number[]; vectors?: number[][] } = {},
): RuleFacts {
  const { tags, ages, vectors } = options;
  const attributes: AttributeColumn[] = [
    attribute(
      'brand',
      'categorical',
      Array.from(brands, (brand) => (brand === '-' ? undefined : brand)),
    ),
    ...(tags ? [attribute('tags', 'multi-valued', tags)] : []),
  ];
  return {
    catalogue: {
      entities: new IdIndex(Array.from(brands, (_, item) => String.fromCharCode(97 + item))),
      attributes,
    },
    ageDaysOf: ages && ((item) => ages[item]!),
    vectors: vectors && {
      values: Float32Array.from(vectors.flat()),
      dimensions: vectors[0]!.length,
    },
  };
}

/** Binds rules that the facts allow. */
export function bind(rules: readonly RuleEntry[], facts: RuleFacts) {
  const bound = bindRules(rules, facts);
  if (bound.problems.length > 0) throw new Error(bound.problems.join('; '));
  return bound.rules;
}

/** The slate of items that were ranked in the order of their letters, with scores 1, 1 − 1/n, … unless others are given; all are candidates. */
export function arrangeLetters(
  rules: readonly RuleEntry[],
  facts: RuleFacts,
  options: Partial<ArrangingQuery> & { scores?: number[]; items?: string; reasons?: boolean } = {},
) {
  const { entities } = facts.catalogue;
  const { items: ids = entities.ids.join(''), reasons = false, scores, ...query } = options;
  const items = Int32Array.from(Array.from(ids, (id) => entities.find(id)));
  const given = Float32Array.from(scores ?? Array.from(items, (_, rank) => 1 - rank / items.length));
  const selection = arrange(
    given,
    { items },
    { query: { limit: 10, moment: MOMENT, shown: [], rules: bind(rules, facts), ...query }, reasons },
  );
  const shown = Array.from(selection.rows, (row) => entities.idAt(items[row]!)).join('');
  return { ...selection, shown };
}
