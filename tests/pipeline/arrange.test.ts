import t from 'tap';
import { arrange, type ArrangingQuery } from '../../src/pipeline/arrange.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { bindRules } from '../../src/rules/bind-rules.js';
import { smallCatalogue } from '../support/small-world.js';
import { letterFacts } from '../support/slate-world.js';

const NO_RULES: ArrangingQuery = {
  limit: 10,
  rules: bindRules([], { catalogue: smallCatalogue() }).rules,
  moment: { scenario: 'home', context: new Float32Array(), now: 0 },
  shown: [],
};

function best(scores: number[], limit: number) {
  const items = Int32Array.from(scores.keys());
  return arrange(Float32Array.from(scores), { items }, { query: { ...NO_RULES, limit }, reasons: true });
}

t.test('the best rows are shown, best first; equal scores keep the order of the candidates', async (t) => {
  const { rows, scores, reasons } = best([0.5, 2, -1, 2, 1], 4);
  t.same([...rows], [1, 3, 4, 0]);
  t.same([...scores], [2, 2, 1, 0.5]);
  t.same(reasons, [[], [], [], []], 'nothing moved any');
});

t.test('fewer candidates than asked for are all shown', async (t) => {
  t.same([...best([1, 3], 10).rows], [1, 0]);
  t.same([...best([], 10).rows], []);
});

t.test('of many candidates, places are counted among the first 300 and what is shown', async (t) => {
  const facts = letterFacts('');
  const count = 1000;
  const entities = new IdIndex(Array.from({ length: count }, (_, item) => `i${item}`));
  const rules = bindRules([{ pin: { item: 'i900', position: 2 } }], {
    ...facts,
    catalogue: { entities, attributes: [] },
  }).rules;
  const items = Int32Array.from({ length: count }, (_, item) => item);
  const scores = Float32Array.from(items, (item) => -item);
  const { rows, reasons } = arrange(
    scores,
    { items },
    { query: { ...NO_RULES, rules, limit: 3 }, reasons: true },
  );
  t.same([...rows], [0, 900, 1]);
  t.same(reasons, [
    [],
    [{ rule: 'pin', detail: 'place 2', from: 301, to: 2 }],
    [{ rule: 'pin', detail: 'makes room', from: 2, to: 3 }],
  ]);
});
