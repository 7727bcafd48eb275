import type { AttributeColumn, Catalogue } from '../src/domain/catalogue.js';
import { IdIndex } from '../src/domain/id-index.js';
import { toAttributeFilter } from '../src/domain/named-value.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';
import {
  createFilterMasks,
  findFilterMasks,
  intersectMask,
  MOST_MASK_BYTES,
} from '../src/rules/filter-masks.js';
import { attribute } from '../tests/support/small-world.js';

/**
 * Filters over a generated catalogue: the first request that has one, the ones after it, and what thousands of different ones keep in
 * memory.
 */
const [items = '100000', requests = '2000'] = process.argv.slice(2);
const size = Number(items);
const { uniform, integer } = createSeededRandom(7);

const catalogue: Catalogue = {
  entities: new IdIndex(Array.from({ length: size }, (_, item) => `i${item}`)),
  attributes: [
    drawAttribute('price', 'numeric', () => Math.round(uniform() * 10_000) / 100),
    drawAttribute('genres', 'multi-valued', () => [`g${integer(20)}`, `h${integer(20)}`]),
    drawAttribute('brand', 'categorical', () => `b${integer(5000)}`),
    drawAttribute('released', 'text', () =>
      new Date(integer(1_000_000_000) * 1000).toISOString().slice(0, 10),
    ),
  ],
};

const CASES: readonly (readonly string[])[] = [
  ['price:10..20'],
  ['price:>=10', 'price:<20'],
  ['genres:!g3'],
  ['brand:b17'],
  ['released:>=1990-01-01'],
  ['price:>=10', 'price:<20', 'genres:g1', 'genres:g2', 'brand:*', 'released:<2000-01-01'],
];

for (const texts of CASES) measureCase(texts);
measureMany();

/** One in twenty has no value. */
function drawAttribute(
  name: string,
  role: AttributeColumn['role'],
  draw: () => AttributeColumn['values'][number],
): AttributeColumn {
  return attribute(
    name,
    role,
    Array.from({ length: size }, () => (uniform() < 0.05 ? undefined : draw())),
  );
}

function measureCase(texts: readonly string[]): void {
  const filters = texts.map(toAttributeFilter);
  const masks = findFilterMasks(catalogue);
  const started = performance.now();
  masks.maskOf(filters);
  const firstMs = performance.now() - started;
  const eligible = new Uint8Array(size);
  const times: number[] = [];
  for (let request = 0; request < Number(requests); request++) {
    eligible.fill(1);
    const before = performance.now();
    for (const filter of filters) masks.refuse(filter);
    intersectMask(eligible, masks.maskOf(filters));
    times.push(performance.now() - before);
  }
  times.sort((left, right) => left - right);
  const at = (share: number): string => times[Math.floor(share * (times.length - 1))]!.toFixed(4);
  const left = eligible.reduce((sum, one) => sum + one, 0);
  console.log(
    `${texts.join(' & ')}: ${left} of ${size} items; first ${firstMs.toFixed(2)} ms, then p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

function measureMany(): void {
  const masks = createFilterMasks(catalogue, { maxBytes: MOST_MASK_BYTES });
  const count = 5000;
  globalThis.gc?.();
  const before = process.memoryUsage();
  const started = performance.now();
  for (let request = 0; request < count; request++)
    masks.maskOf([
      toAttributeFilter(`price:<${request / 50}`),
      toAttributeFilter(`genres:!g${request % 20}`),
    ]);
  const eachMs = (performance.now() - started) / count;
  globalThis.gc?.();
  const { rss, arrayBuffers } = process.memoryUsage();
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  console.log(
    `${count} different filters, ${eachMs.toFixed(3)} ms each: ${masks.size.entries} masks of ${megabytes(masks.size.bytes)} MB kept; ` +
      `buffers + ${megabytes(arrayBuffers - before.arrayBuffers)} MB, process + ${megabytes(rss - before.rss)} MB`,
  );
}
