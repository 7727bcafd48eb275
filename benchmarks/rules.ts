import type { RuleEntry } from '../src/config/rule-config.js';
import { codeValues, type AttributeColumn } from '../src/domain/catalogue.js';
import { IdIndex } from '../src/domain/id-index.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';
import { arrange } from '../src/pipeline/arrange.js';
import { bindRules } from '../src/rules/bind-rules.js';

/**
 * What rules add to a request: arranging 300 candidates with vectors of 64, of a catalogue of 100,000, under each rule and under all of them,
 * and saying what moved each item: times by the clock, and the mean of the processor, which other work on the machine changes less. Scores are those of a ranker that is sure of few, or of none.
 */
const ITEMS = 100_000;
const CANDIDATES = 300;
const DIMENSIONS = 64;
const ROUNDS = 2000;

const random = createSeededRandom(7);
const vectors = Float32Array.from({ length: ITEMS * DIMENSIONS }, () => random.normal());
// Items of a topic are alike, as those that a user likes are.
for (let item = 0; item < ITEMS; item++) vectors[item * DIMENSIONS + (item % 8)]! += 8;
const ages = Float64Array.from({ length: ITEMS }, () => 400 * random.uniform());

const facts = {
  catalogue: {
    entities: new IdIndex(Array.from({ length: ITEMS }, (_, item) => `i${item}`)),
    attributes: [
      column('brand', 'categorical', () => `brand ${Math.floor(400 * random.uniform() ** 2)}`),
      column('genres', 'multi-valued', () => [
        ...new Set([0, 1, 2].map(() => `genre ${random.integer(20)}`)),
      ]),
    ],
  },
  ageDaysOf: (item: number): number => ages[item]!,
  vectors: { values: vectors, dimensions: DIMENSIONS },
};

const DIVERSITY: RuleEntry = { diversity: { strength: 0.3, by: 'vectors' } };
const RULES: Readonly<Record<string, readonly RuleEntry[]>> = {
  none: [],
  cap: [{ cap: { attribute: 'brand', most: 2, in: 10 } }],
  'cap, many values': [{ cap: { attribute: 'genres', most: 2, in: 10 } }],
  'diversity 0.1': [{ diversity: { strength: 0.1, by: 'vectors' } }],
  'diversity 0.3': [DIVERSITY],
  'diversity 1': [{ diversity: { strength: 1, by: 'vectors' } }],
  'by attributes': [{ diversity: { strength: 0.3, by: 'attributes' } }],
  fresh: [{ fresh: { halfLifeDays: 30, strength: 0.2 } }],
  boost: [{ boost: { strength: 0.2, when: { filter: ['brand:brand 7'] } } }],
  pin: [{ pin: { item: 'i5', position: 2 } }],
  all: [
    { cap: { attribute: 'brand', most: 2, in: 10 } },
    { cap: { attribute: 'genres', most: 4, in: 10 } },
    DIVERSITY,
    { fresh: { halfLifeDays: 30, strength: 0.1 } },
    { boost: { strength: 0.2, when: { filter: ['brand:brand 7'] } } },
    { boost: { strength: -0.2, items: ['i1', 'i2', 'i3'] } },
    { pin: { item: 'i5', position: 2 } },
    { pin: { item: 'i6', position: 9, from: '1970-01-01T00:00:00Z' } },
  ],
};

for (const [spread, drawScore] of [
  ['clear', (rank: number) => 1 / (1 + rank)],
  ['flat', (rank: number) => 1 - rank / 1000],
] as const) {
  for (const limit of [10, 100]) {
    for (const [name, rules] of Object.entries(RULES)) measure(name, rules, { limit, spread, drawScore });
    measure('all, with reasons', RULES['all']!, { limit, spread, drawScore, reasons: true });
  }
}

function measure(
  name: string,
  entries: readonly RuleEntry[],
  options: { limit: number; spread: string; drawScore: (rank: number) => number; reasons?: boolean },
): void {
  const { limit, spread, drawScore, reasons = false } = options;
  const { rules } = bindRules(entries, facts);
  const moment = { scenario: 'home', context: new Float32Array(), now: 100 };
  const query = { limit, rules, moment, shown: [] };
  const rounds = reasons ? ROUNDS / 20 : ROUNDS;
  const requests = Array.from({ length: rounds }, () => ({
    items: Int32Array.from({ length: CANDIDATES }, (_, at) => (at < 10 ? at : random.integer(ITEMS))),
    scores: Float32Array.from(random.shuffle([...Array(CANDIDATES).keys()]), drawScore),
  }));
  for (const { scores, items } of requests.slice(0, rounds / 4))
    arrange(scores, { items }, { query, reasons });
  const times = new Float64Array(rounds);
  const before = process.cpuUsage();
  requests.forEach(({ scores, items }, round) => {
    const started = performance.now();
    arrange(scores, { items }, { query, reasons });
    times[round] = performance.now() - started;
  });
  const { user, system } = process.cpuUsage(before);
  times.sort();
  const [half, most, mean] = [
    times[Math.floor(0.5 * rounds)]!,
    times[Math.floor(0.99 * rounds)]!,
    (user + system) / 1000 / rounds,
  ].map((value) => value.toFixed(3));
  console.log(
    `${spread.padEnd(5)} limit ${String(limit).padStart(3)}  ${name.padEnd(18)} p50 ${half} ms  p99 ${most} ms  processor ${mean} ms`,
  );
}

function column(
  name: string,
  role: AttributeColumn['role'],
  draw: () => string | readonly string[],
): AttributeColumn {
  const values = Array.from({ length: ITEMS }, draw);
  return { name, role, values, coded: codeValues(values), shown: true, filterable: true, feature: true };
}
