import t, { type Test } from 'tap';
import type { RuleEntry } from '../../../src/config/rule-config.js';
import type { AttributeColumn } from '../../../src/domain/catalogue.js';
import { IdIndex } from '../../../src/domain/id-index.js';
import { createSeededRandom, type SeededRandom } from '../../../src/domain/seeded-random.js';
import { arrange } from '../../../src/pipeline/arrange.js';
import type { RuleFacts } from '../../../src/rules/rule-facts.js';
import { createVectorLikeness } from '../../../src/rules/slate/diversity.js';
import { attribute } from '../../support/small-world.js';
import { bind, MOMENT } from '../../support/slate-world.js';

const SLATES = 10_000;
const ITEMS = 80;

const facts = drawFacts(createSeededRandom(3));
const { entities, attributes } = facts.catalogue;

function drawFacts(random: SeededRandom): RuleFacts {
  const draw = (count: number) => Array.from({ length: count }, () => `v${random.integer(6)}`);
  const ages = Array.from({ length: ITEMS }, () => 100 * random.uniform());
  return {
    catalogue: {
      entities: new IdIndex(Array.from({ length: ITEMS }, (_, item) => `i${item}`)),
      attributes: [
        attribute(
          'brand',
          'categorical',
          Array.from({ length: ITEMS }, () => (random.uniform() < 0.1 ? undefined : draw(1)[0]!)),
        ),
        attribute(
          'tags',
          'multi-valued',
          Array.from({ length: ITEMS }, () => draw(random.integer(4))),
        ),
      ],
    },
    ageDaysOf: (item) => ages[item]!,
    vectors: {
      dimensions: 6,
      values: Float32Array.from({ length: ITEMS * 6 }, () => 2 * random.uniform() - 1),
    },
  };
}

interface Drawn {
  readonly items: Int32Array;
  readonly scores: Float32Array;
  readonly limit: number;
  readonly shown: readonly number[];
}

function drawSlate(random: SeededRandom): Drawn {
  const all = random.shuffle([...Array(ITEMS).keys()]);
  const shown = all.slice(0, random.integer(3) * random.integer(8));
  const items = Int32Array.from(all.slice(shown.length, shown.length + random.integer(50)));
  const scores = Float32Array.from(items, () => Math.round(20 * random.uniform()) - 10);
  return { items, scores, limit: 1 + random.integer(30), shown };
}

function drawRules(random: SeededRandom): RuleEntry[] {
  const cap = (name: string): RuleEntry => {
    const places = 2 + random.integer(9);
    return { cap: { attribute: name, most: 1 + random.integer(places - 1), in: places } };
  };
  const some = (most: number, make: () => RuleEntry) =>
    Array.from({ length: random.integer(most + 1) }, make);
  const strength = () => random.uniform();
  const rules = [
    ...some(1, () => cap('brand')),
    ...some(1, () => cap('tags')),
    ...some(1, () => ({
      diversity: { strength: strength(), by: random.uniform() < 0.5 ? 'vectors' : 'attributes' },
    })),
    ...some(1, () => ({ fresh: { halfLifeDays: 1 + 50 * strength(), strength: strength() } })),
    ...some(2, () => ({
      boost: { strength: 2 * strength() - 1, when: { filter: [`brand:v${random.integer(6)}`] } },
    })),
    ...some(3, () => ({ pin: { item: `i${random.integer(ITEMS)}`, position: 1 + random.integer(40) } })),
  ];
  return random.shuffle(rules);
}

function run(rules: readonly RuleEntry[], { items, scores, limit, shown }: Drawn): number[] {
  const query = { limit, shown, moment: MOMENT, rules: bind(rules, facts) };
  return Array.from(arrange(scores, { items }, { query }).rows, (row) => items[row]!);
}

type Cap = Extract<RuleEntry, { cap: unknown }>['cap'];

function valuesOf(item: number | undefined, { attribute: name }: Cap): readonly string[] {
  const { values } = attributes.find((each) => each.name === name)!;
  const value = item === undefined || item < 0 ? undefined : values[item];
  return value === undefined ? [] : Array.isArray(value) ? [...new Set(value as string[])] : [String(value)];
}

/** Whether an item at a place of a list makes a window too full; undefined stands for a place that is still open. */
function breaks(list: readonly (number | undefined)[], place: number, item: number, cap: Cap): boolean {
  const tried = list.slice();
  tried[place] = item;
  return valuesOf(item, cap).some((value) => {
    for (let first = place - cap.in + 1; first <= place; first++) {
      const window = tried.slice(Math.max(0, first), first + cap.in);
      if (window.filter((each) => valuesOf(each, cap).includes(value)).length > cap.most) return true;
    }
    return false;
  });
}

/** Places whose item breaks a cap though another candidate would have kept it, with all caps before it that the item keeps. */
function findBroken(
  slate: readonly number[],
  rules: readonly RuleEntry[],
  { items, limit, shown }: Drawn,
): number[] {
  const caps = rules.flatMap((rule) => (typeof rule !== 'string' && 'cap' in rule ? [rule.cap] : []));
  const pins = rules.flatMap((rule) => (typeof rule !== 'string' && 'pin' in rule ? [rule.pin] : []));
  // A pin of an earlier page is over, and the first of a place and of an item counts.
  const inForce: typeof pins = [];
  for (const pin of pins) {
    const isHere = pin.position > shown.length;
    const isFirst = !inForce.some(({ item, position }) => position === pin.position || item === pin.item);
    if (isHere && isFirst && items.includes(entities.find(pin.item))) inForce.push(pin);
  }
  const end = shown.length + limit;
  // Kept for a later page, where there is one.
  const later = items.length > limit ? inForce.filter(({ position }) => position > end) : [];
  const isKept = (item: number) => later.some((pin) => entities.find(pin.item) === item);
  const isPinned = (place: number) => inForce.some(({ item }) => entities.find(item) === slate[place]);
  const broken: number[] = [];
  for (let place = 0; place < slate.length; place++) {
    if (isPinned(place)) continue;
    const known = slate.map((item, at) => (at < place || isPinned(at) ? item : undefined));
    const list = [...shown, ...known];
    // Digits of a number: the first cap weighs more than all others.
    const faultsOf = (item: number) =>
      caps.map((cap) => (breaks(list, shown.length + place, item, cap) ? '1' : '0')).join('');
    const others = items.filter((item) => !known.includes(item) && !isKept(item));
    const faults = faultsOf(slate[place]!);
    if (faults.includes('1') && others.some((item) => faultsOf(item) < faults)) broken.push(place);
  }
  return broken;
}

t.test('random rules on random slates: caps hold, nothing twice, full while anything is left', async (t) => {
  const random = createSeededRandom(1);
  let capped = 0;
  for (let at = 0; at < SLATES; at++) {
    const drawn = drawSlate(random);
    const rules = drawRules(random);
    const slate = run(rules, drawn);
    const about = JSON.stringify({ at, rules });
    if (slate.length !== Math.min(drawn.limit, drawn.items.length)) t.fail(`not full: ${about}`);
    if (new Set(slate).size !== slate.length) t.fail(`twice: ${about}`);
    if (!slate.every((item) => drawn.items.includes(item))) t.fail(`no candidate: ${about}`);
    const broken = findBroken(slate, rules, drawn);
    if (broken.length > 0) t.fail(`place ${broken[0]}: ${about}`);
    if (rules.some((rule) => typeof rule !== 'string' && 'cap' in rule)) capped++;
  }
  t.ok(capped > SLATES / 2, `${capped} of them under a cap`);
});

t.test('a strength of 0 changes nothing', async (t) => {
  const random = createSeededRandom(2);
  const nothing: RuleEntry[] = [
    { diversity: { strength: 0, by: 'vectors' } },
    { fresh: { halfLifeDays: 5, strength: 0 } },
    { boost: { strength: 0, when: { filter: ['brand:v1'] } } },
  ];
  for (let at = 0; at < SLATES; at++) {
    const drawn = drawSlate(random);
    const rules = drawRules(random).filter(
      (rule) => typeof rule !== 'string' && ('cap' in rule || 'pin' in rule),
    );
    const slate = run(rules, drawn);
    if (run([...nothing, ...rules], drawn).join() !== slate.join()) t.fail(`${at}`);
    if (run(nothing, drawn).join() !== run([], drawn).join()) t.fail(`${at}`);
  }
});

const STRENGTHS = [0, 0.1, 0.25, 0.5, 0.75, 1];

/** Fails where a figure falls from one strength to the next. */
function checkRise(t: Test, about: string, figures: readonly number[]): void {
  for (let at = 1; at < figures.length; at++)
    if (figures[at]! < figures[at - 1]! - 1e-6) t.fail(`${about}: ${figures.join(' ')}`);
}

t.test('more strength moves no boosted item down, and makes no slate less fresh', async (t) => {
  const random = createSeededRandom(4);
  const brand = attributes[0] as AttributeColumn;
  for (let slate = 0; slate < SLATES / 10; slate++) {
    const drawn = { ...drawSlate(random), shown: [] };
    const lifted = STRENGTHS.map((strength) =>
      run([{ boost: { strength, when: { filter: ['brand:v1'] } } }], { ...drawn, limit: 100 }),
    );
    for (const item of drawn.items.filter((each) => brand.values[each] === 'v1'))
      checkRise(t, `boost ${slate}`, lifted.map((items) => -items.indexOf(item))); // prettier-ignore
    const freshness = STRENGTHS.map(
      (strength) =>
      run([{ fresh: { halfLifeDays: 10, strength } }], drawn).reduce((sum, item) => sum + 2 ** (-facts.ageDaysOf!(item) / 10), 0), // prettier-ignore
    );
    checkRise(t, `fresh ${slate}`, freshness);
  }
});

/** Of items, by their indexes. */
const likeness = createVectorLikeness(facts.vectors!)(Int32Array.from(Array(ITEMS).keys()));

/** Mean over pairs of one less how alike they are. */
function diversityOf(items: readonly number[]): number {
  const pairs = items.flatMap((item, at) => items.slice(at + 1).map((other) => 1 - likeness(item, other)));
  return pairs.length === 0 ? 0 : pairs.reduce((sum, each) => sum + each, 0) / pairs.length;
}

t.test('more strength makes the first two less alike in every slate, and ten so in the mean', async (t) => {
  const random = createSeededRandom(5);
  const sums = STRENGTHS.map(() => 0);
  for (let slate = 0; slate < SLATES / 10; slate++) {
    const drawn = { ...drawSlate(random), shown: [], limit: 10 };
    const slates = STRENGTHS.map((strength) => run([{ diversity: { strength, by: 'vectors' } }], drawn));
    checkRise(
      t,
      `first two of ${slate}`,
      slates.map((items) => diversityOf(items.slice(0, 2))),
    );
    slates.forEach((items, at) => (sums[at]! += diversityOf(items)));
  }
  checkRise(t, 'mean of ten', sums);
  t.ok(sums.at(-1)! > 1.05 * sums[0]!, `diversity ${sums.map((sum) => Math.round(sum)).join(' ')}`);
});

t.test('marginal relevance is what a plain loop over all pairs gives', async (t) => {
  const random = createSeededRandom(6);
  for (let slate = 0; slate < SLATES / 10; slate++) {
    const drawn = { ...drawSlate(random), shown: [] };
    const strength = random.uniform();
    if (
      run([{ diversity: { strength, by: 'vectors' } }], drawn).join() !== rankNaively(drawn, strength).join()
    )
      t.fail(`slate ${slate}`);
  }
});

function rankNaively({ items, scores, limit }: Drawn, strength: number): number[] {
  const left = [...items.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const lowest = Math.min(...scores);
  const span = Math.max(...scores) - lowest;
  const placed: number[] = [];
  while (placed.length < limit && left.length > 0) {
    const values = left.map((row) => {
      const worth = span > 0 ? (scores[row]! - lowest) / span : 0;
      const like = Math.max(0, ...placed.map((other) => likeness(items[row]!, items[other]!)));
      return (1 - strength) * worth - strength * like;
    });
    placed.push(left.splice(values.indexOf(Math.max(...values)), 1)[0]!);
  }
  return placed.map((row) => items[row]!);
}
