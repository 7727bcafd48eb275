import t from 'tap';
import { createContextFeatures } from '../../../src/features/groups/context-features.js';
import { countContexts } from '../../../src/offline/training/views/count-contexts.js';
import { fillGroup } from '../../support/fill-group.js';
import { candidateSet, history } from '../../support/small-world.js';

/** Item 0: 6 on mobile; item 1: 2 on mobile, 4 on desktop; item 2: nothing known; item 3: one without a device. */
const mobile = 1;
const device = [...Array<number>(6).fill(mobile), mobile, mobile, 0, 0, 0, 0, Number.NaN];
const contexts = countContexts(
  {
    timeZone: 'UTC',
    fields: [
      { name: 'hour', type: 'hour' },
      { name: 'device', type: 'categorical', values: ['desktop', 'mobile', 'watch'] },
      { name: 'temperature', type: 'numeric' },
    ],
    columns: [
      new Float32Array(13).fill(20),
      Float32Array.from(device),
      Float32Array.from(device, (_, row) => row),
    ],
  },
  { item: Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 3), itemCount: 4 },
);

function fill(...context: number[]): Record<string, number>[] {
  return fillGroup(createContextFeatures(contexts), {
    candidates: candidateSet([1, 0, 2, 3], []),
    history: history([]),
    now: 0,
    ...(context.length > 0 && { context: Float32Array.from(context) }),
  });
}

function near(found: number, expected: number): boolean {
  return Math.abs(found - expected) < 1e-6;
}

t.test('every field gives its value and a lift', async (t) => {
  t.same(createContextFeatures(contexts).features, [
    'context.hour',
    'context.hour.lift',
    'context.device',
    'context.device.lift',
    'context.temperature',
    'context.temperature.lift',
  ]);
});

t.test('the lift is the log ratio of the smoothed share of the item to that of all', async (t) => {
  const lifts = fill(20, mobile, 3).map((row) => row['context.device.lift']!);
  const share = 8 / 12;
  t.ok(near(lifts[0]!, Math.log((2 + 10 * share) / 16 / share)), 'fewer than others');
  t.ok(near(lifts[1]!, Math.log((6 + 10 * share) / 16 / share)), 'more than others');
  t.ok(lifts[0]! < 0 && lifts[1]! > 0);
  t.same(lifts.slice(2), [0, 0], 'nothing is known of the others');
  const never = fill(20, 0, 3).map((row) => row['context.device.lift']!);
  t.ok(near(never[1]!, Math.log(10 / 16)), 'never there, so only the prior');
});

t.test('the lift does not depend on how many interactions there are of others', async (t) => {
  const hours = fill(20, mobile, 3).map((row) => row['context.hour.lift']);
  t.same(hours, [0, 0, 0, 0], 'all were taken at that hour');
});

t.test('hours are counted by four, numbers by quarters', async (t) => {
  t.same(
    fill(23, mobile, 3),
    fill(20, mobile, 3).map((row) => ({ ...row, 'context.hour': 23 })),
  );
  t.same(
    fill(19, mobile, 3).map((row) => row['context.hour.lift']),
    [0, 0, 0, 0],
    'nobody ever took anything then',
  );
  const lifts = [-5, 0, 3, 9, 99].map(
    (temperature) => fill(20, 0, temperature)[0]!['context.temperature.lift']!,
  );
  t.ok(lifts[0] === lifts[1] && lifts[1]! < 0, 'item 1 was taken after all rows of the first quarter');
  t.ok(lifts[3]! > 0, 'and in the third');
});

t.test('what is not known is no category, the mean of the numbers, and lifts nothing', async (t) => {
  const expected = {
    'context.hour': -1,
    'context.hour.lift': 0,
    'context.device': -1,
    'context.device.lift': 0,
    'context.temperature': 6,
    'context.temperature.lift': 0,
  };
  t.same(
    fill(Number.NaN, Number.NaN, Number.NaN),
    Array.from({ length: 4 }, () => expected),
  );
  t.same(
    fill(),
    Array.from({ length: 4 }, () => expected),
  );
  t.same(fill(20, 2, 3)[0]!['context.device.lift'], 0, 'a value that came up only later');
});
