import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from 'node:process';
import { promisify } from 'node:util';
import t from 'tap';
import { stringify } from 'yaml';
import { createWorkplace } from '../commands/workplace.js';

/** The Python that runs the examples; a virtual environment with their requirements is named by the variable. */
const PYTHON = env['PYTHON'] ?? 'python3';

/** The scripts of the rankers, with what each imports beside what all do. */
const RANKERS: Record<string, string> = {
  lightgbm: 'lightgbm, onnxmltools',
  xgboost: 'xgboost, onnxmltools',
  catboost: 'catboost',
  scikit_learn: 'sklearn, skl2onnx',
  pytorch: 'torch',
};

/** Why a script cannot run here; false when it can. */
function findObstacle(modules: string): string | false {
  const { status } = spawnSync(PYTHON, ['-c', `import ${modules}, numpy, onnx, pandas, pyarrow, yaml`]);
  return status === 0
    ? false
    : `${PYTHON} cannot import ${modules}: install the requirements.txt of the example, and say PYTHON=…`;
}

const runPython = (...args: string[]) => promisify(execFile)(PYTHON, ['-W', 'ignore', ...args]);

/** A shop with weights whose tables have none of the demo's own columns. */
const shopOf = (raw: string) => ({
  name: 'shop',
  description: 'A shop with weights.',
  licence: 'proprietary',
  path: raw,
  interactions: {
    sql: `SELECT user_id, item_id, timestamp,
        CASE WHEN row_number() OVER (ORDER BY user_id, item_id) % 5 = 0 THEN 'purchase' ELSE 'view' END AS type
      FROM '{path}/interactions.parquet'`,
    weights: { purchase: 5, view: 1 },
  },
  items: {
    sql: "SELECT item_id, title, minutes * 1.5 AS price, year > 2000 AS is_new FROM '{path}/items.parquet'",
    columns: { title: { role: 'text' }, price: { role: 'numeric' }, is_new: { role: 'boolean' } },
  },
  users: {
    sql: "SELECT user_id, country AS city FROM '{path}/users.parquet'",
    columns: { city: { role: 'categorical' } },
  },
  evaluation: { protocol: 'rolling' },
});

const obstacles = Object.values(RANKERS).map((modules) => findObstacle(`${modules}, onnxruntime`));
const isIdle = obstacles.every((obstacle) => obstacle !== false) && findObstacle('torch') !== false;

t.test('the examples run on a shop with weights', { skip: (isIdle && obstacles[0]) || false }, async (t) => {
  const { dir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const dataset = join(dir, 'shop.yaml');
  await writeFile(dataset, stringify(shopOf(raw)));
  const shop = ['--dataset', dataset, '--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '150', '--items', '60');
  t.match(await run('prepare', ...shop), { code: 0 });
  t.match(await run('train', ...shop), { code: 0 });
  t.match(await run('export-training-set', ...shop), { code: 0 });
  const rows = join(dir, 'data/training-sets/shop/rows.parquet');

  for (const [index, name] of Object.keys(RANKERS).entries()) {
    await t.test(`train_${name}.py`, { skip: obstacles[index]! }, async (t) => {
      const model = join(dir, `${name}.onnx`);
      const script = `examples/bring-your-own-ranker/train_${name}.py`;
      await runPython(script, rows, '--out', model, '--trees', '5');
      const files = ['--features', join(dir, 'data/training-sets/shop/features.yaml')];
      const golden = ['--golden', join(dir, `${name}.golden.parquet`)];
      t.match(await run('import-ranker', model, ...files, ...golden, ...shop), {
        code: 0,
        out: /golden batch within .*what was taken is above what was not in [5-9]\d\.\d % of the pairs/,
      });
    });
  }

  await t.test('train_two_tower.py', { skip: findObstacle('torch') }, async (t) => {
    const out = join(dir, 'encoder');
    const script = 'examples/bring-your-own-encoder/train_two_tower.py';
    await runPython(script, join(dir, 'data/prepared/shop'), '--out', out, '--epochs', '1', '--weeks', '4');
    const files = ['--items', join(out, 'vectors.parquet'), '--spec', join(out, 'encoder.yaml')];
    t.match(await run('import-encoder', join(out, 'encoder.onnx'), ...files, ...shop), {
      code: 0,
      out: /golden batch within/,
    });
  });
});
