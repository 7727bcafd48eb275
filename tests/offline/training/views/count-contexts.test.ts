import t from 'tap';
import type { ContextTable } from '../../../../src/domain/context.js';
import { encodeTensorFile, parseTensorFile } from '../../../../src/bundle/tensor-file.js';
import { itemContextsToTensors, parseItemContexts } from '../../../../src/features/read-item-contexts.js';
import { countContexts } from '../../../../src/offline/training/views/count-contexts.js';

const table: ContextTable = {
  timeZone: 'UTC',
  fields: [
    { name: 'weekday', type: 'weekday' },
    { name: 'device', type: 'categorical', values: ['desktop', 'mobile'] },
    { name: 'price', type: 'numeric' },
  ],
  columns: [
    Float32Array.of(7, 1, 7, 1, 2),
    Float32Array.of(1, 1, Number.NaN, 0, 1),
    Float32Array.of(1, 5, 3, 9, Number.NaN),
  ],
};
const item = Int32Array.of(2, 0, 2, 2, 2);

t.test('interactions are counted by item and part, items without any too', async (t) => {
  const { counts, fields, timeZone } = countContexts(table, { item, itemCount: 4 });
  t.equal(timeZone, 'UTC');
  t.same(counts[0], {
    offsets: Uint32Array.of(0, 1, 1, 4, 4),
    parts: Int32Array.of(0, 0, 1, 6),
    counts: Uint32Array.of(1, 1, 1, 2),
  });
  t.same(counts[1], {
    offsets: Uint32Array.of(0, 1, 1, 3, 3),
    parts: Int32Array.of(1, 0, 1),
    counts: Uint32Array.of(1, 1, 2),
  });
  t.same(fields[2], { name: 'price', type: 'numeric', default: 4.5, bounds: [3, 5, 9] });
  t.same(counts[2]!.parts, Int32Array.of(2, 0, 1, 3));
});

t.test('numbers that are all the same, or not there at all, are one part', async (t) => {
  for (const values of [
    [2, 2, 2],
    [Number.NaN, Number.NaN, Number.NaN],
  ]) {
    const one: ContextTable = {
      timeZone: 'UTC',
      fields: [{ name: 'price', type: 'numeric' }],
      columns: [Float32Array.from(values)],
    };
    const { fields, counts } = countContexts(one, { item: Int32Array.of(0, 1, 1), itemCount: 2 });
    const known = values[0] === 2;
    t.same(fields[0], { name: 'price', type: 'numeric', default: known ? 2 : 0, bounds: [] });
    t.same(counts[0]!.counts, Uint32Array.from(known ? [1, 2] : []));
  }
});

t.test('a tensor file gives back what was counted', async (t) => {
  const contexts = countContexts(table, { item, itemCount: 4 });
  const bytes = encodeTensorFile(itemContextsToTensors(contexts));
  const { timeZone, fields } = contexts;
  t.same(
    parseItemContexts(parseTensorFile(bytes, 'c'), { timeZone, fields, itemCount: 4, name: 'c' }),
    contexts,
  );
});

t.test('a tensor file that does not fit is refused with every problem', async (t) => {
  const contexts = countContexts(table, { item, itemCount: 4 });
  const { timeZone, fields } = contexts;
  const problemsOf = (
    change: Partial<(typeof contexts.counts)[number]>,
    itemCount = 4,
  ): readonly string[] => {
    const counts = contexts.counts.map((count, index) => (index === 0 ? { ...count, ...change } : count));
    try {
      parseItemContexts(itemContextsToTensors({ ...contexts, counts }), {
        timeZone,
        fields,
        itemCount,
        name: 'c',
      });
      return [];
    } catch (error) {
      return (error as { problems: readonly string[] }).problems;
    }
  };
  t.same(problemsOf({}), []);
  t.match(problemsOf({}, 5), [
    /^c: weekday.offsets: expected shape \[6\]/,
    /^c: device.offsets: expected shape/,
    /^c: price.offsets: expected shape/,
  ]);
  t.same(problemsOf({ counts: Uint32Array.of(1, 0), parts: Int32Array.of(0, 7, 1, 6) }), [
    'c: weekday.counts: 2 entries for 4 parts',
    'c: weekday.parts: part 7 is not one of 7',
    'c: weekday.counts: one is 0, which says nothing',
  ]);
  t.same(problemsOf({ offsets: Uint32Array.of(0, 3, 1, 4, 4) }), [
    'c: weekday.offsets: do not rise from 0 to 4',
  ]);
  t.same(problemsOf({ parts: Int32Array.of(0, 1, 0, 6) }), [
    'c: weekday.parts: those of item 2 do not ascend',
  ]);
});
