import { readFile } from 'node:fs/promises';
import t from 'tap';
import { openOnnxRanker } from '../../src/ranking/onnx-ranker.js';
import { drawReferenceRows } from '../../src/ranking/synthetic-rows.js';
import { DEPENDENT, INDEPENDENT, RANDOM } from '../support/ranker-models.js';

const COLUMNS = 7;
const featureOrder = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const counts = { bounds: [0, 1, 10, 200], shares: [0.6, 0.2, 0.1, 0.05, 0.05] };
const syntheticRows = drawReferenceRows(200, {
  featureOrder,
  features: { a: counts, b: counts, c: { bounds: [-2, 0, 3], shares: [0.3, 0.2, 0.3, 0.2] } },
});
const options = { columns: COLUMNS, syntheticRows };

for (const [what, model] of Object.entries(INDEPENDENT)) {
  t.test(`a model ${what} is opened`, async (t) => {
    const ranker = await openOnnxRanker(model(COLUMNS), options);
    t.equal((await ranker.rank(syntheticRows)).length, 200);
    await ranker.close();
  });
}

for (const [what, model] of Object.entries(DEPENDENT)) {
  t.test(
    `a model ${what} is refused, and opened when its rows are declared to belong together`,
    async (t) => {
      for (const each of [options, { columns: COLUMNS }]) {
        await t.rejects(openOnnxRanker(model(COLUMNS), each), {
          code: 'INVALID_BUNDLE',
          message:
            /does not score a row by itself: row \d+ gets \S+ in a batch of 64 rows and \S+ .* \(\d+ of 64 rows differ\).*--rows together/,
        });
      }
      await (await openOnnxRanker(model(COLUMNS), { ...options, rows: 'together' })).close();
    },
  );
}

for (const [what, model] of Object.entries(RANDOM)) {
  t.test(`a model ${what} is refused, whatever its rows are declared to be`, async (t) => {
    for (const rows of ['independent', 'together'] as const) {
      await t.rejects(openOnnxRanker(model(COLUMNS), { ...options, rows }), {
        code: 'INVALID_BUNDLE',
        message: /other scores when it is asked for the same rows again \(row \d+: .*model\.eval\(\)/s,
      });
    }
  });
}

const TOOLS: Record<string, RegExp | undefined> = {
  lightgbm: undefined,
  pytorch: undefined,
  quantised: /does not score a row by itself/,
  dropout: /other scores when it is asked for the same rows again/,
  'batch-norm-training': /other scores when it is asked for the same rows again/,
};

for (const [name, message] of Object.entries(TOOLS)) {
  t.test(
    `the file ${name}.onnx of another tool is ${message === undefined ? 'opened' : 'refused'}`,
    async (t) => {
      const file = await readFile(`tests/fixtures/onnx/${name}.onnx`);
      const opened = openOnnxRanker(file, {
        columns: 8,
        outputName: name === 'lightgbm' ? 'variable' : 'scores',
      });
      if (message !== undefined) await t.rejects(opened, { code: 'INVALID_BUNDLE', message });
      else await (await opened).close();
    },
  );
}

t.test('rows of a reference have its values, and uniform ones where it says nothing', (t) => {
  const { data, rows, columns } = syntheticRows;
  const column = (at: number): number[] =>
    Array.from({ length: rows }, (_, row) => data[row * columns + at]!);
  const zeros = column(0).filter((value) => value === 0).length / rows;
  t.ok(Math.abs(zeros - 0.6) < 0.15, `${zeros}`);
  t.ok(column(0).some((value) => value > 10));
  t.ok(column(2).every((value) => value >= -2 && value <= 3 + 2.5));
  t.ok(column(6).every((value) => value >= 0 && value < 1));
  t.end();
});
