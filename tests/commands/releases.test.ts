import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from '../bundle/small-bundle.js';
import { sampleSummary } from '../bundle/sample-summary.js';
import { startS3 } from '../bundle/start-s3.js';
import { createCommandRunner } from '../support/command-runner.js';
import { createWorkplace } from './workplace.js';

const created = (day: number): string => `2026-01-0${day}T00:00:00Z`;

t.test('what is published can be listed, told apart, removed, and looked up in the log', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  t.match(await run('list'), { code: 0, out: /None is published/ });
  t.match(await run('audit-log'), { code: 0, out: '' });
  const registry = createFolderRegistry(join(dir, 'models'), { by: 'ann' });
  const versions: string[] = [];
  for (const day of [1, 2, 3]) {
    const trained = join(dir, `trained-${day}`);
    const metrics = day === 1 ? {} : sampleSummary({ ndcg: { 'two-stage': day / 10 } });
    await writeBundleFiles(trained, createSmallBundle({ createdAt: created(day), metrics }));
    versions.push(await registry.publish(trained));
  }
  const [first, second, third] = versions as [string, string, string];

  const { out } = await run('list');
  const rows = out.split('\n').slice(2);
  t.match(rows, [
    new RegExp(`${third} .* 0.3000 .* staging`),
    new RegExp(`${second} .* 0.2000 `),
    new RegExp(`${first} .* – `),
  ]);
  t.match(JSON.parse((await run('list', '--json')).out), [
    { version: third, channels: ['staging'], ndcg: 0.3 },
    { version: second, channels: [] },
    { version: first, ndcg: null },
  ]);

  const differences = await run('diff', second, 'staging');
  t.match(differences, { code: 0, out: /^metrics\.ndcg\.two-stage: 0\.2 → 0\.3$/m });
  t.notMatch(differences.out, /^catalogue/m);
  t.match(await run('diff', third, 'staging'), { code: 0, out: `Both are ${third}.` });
  t.match(await run('diff', third, 'nowhere'), { code: 1, errors: /BUNDLE_NOT_FOUND/ });

  t.match(await run('gc', '--keep', '0'), { code: 2, errors: /integer from 1/ });
  t.match(await run('gc', '--keep', '1', '--dry-run'), { code: 0, out: `Would remove ${first}` });
  t.equal((await registry.list()).length, 3);
  t.match(await run('gc', '--keep', '1'), { code: 0, out: `Removed ${first}` });
  t.match(await run('gc'), { code: 0, out: 'Nothing to remove.' });
  t.same(await registry.list(), [second, third]);

  await writeFile(join(configsDir, 'gates.yaml'), 'minimumNdcg: 0.9\n');
  t.match(await run('promote', second), { code: 1, errors: /INVALID_BUNDLE: .*ranker\.onnx/s });
  const log = (await run('audit-log')).out.split('\n');
  t.match(log, [
    new RegExp(`ann publish ${first}, staging before at nothing`),
    new RegExp(`ann publish ${second}, staging before at ${first}`),
    new RegExp(`ann publish ${third}`),
    new RegExp(` remove ${first}$`),
    new RegExp(` promote ${second}, production before at nothing; refused: opens: .*ranker\\.onnx`),
  ]);
  t.match(JSON.parse((await run('audit-log', '--json')).out.split('\n')[0]!), {
    action: 'publish',
    version: first,
  });
});

t.test('a registry in a bucket is used as one in a folder', async (t) => {
  const { dir, configsDir } = await createWorkplace(t);
  const { endpoint, stop } = await startS3(t, { bucket: 'bundles', folder: join(dir, 's3') });
  const env = {
    SHORTLIST_REGISTRY: 's3://bundles/shop',
    SHORTLIST_S3_ENDPOINT: endpoint,
    SHORTLIST_BUNDLE_CACHE: join(dir, 'cache'),
  };
  const run = createCommandRunner({ env, configsDir });
  const trained = join(dir, 'data/trained/demo');
  await mkdir(join(dir, 'data/trained'), { recursive: true });
  await writeBundleFiles(trained, createSmallBundle({ createdAt: created(1), metrics: sampleSummary({}) }));
  t.match(await run('publish', '--data', join(dir, 'data')), {
    code: 0,
    out: /to s3:\/\/bundles\/shop; candidate/,
  });
  t.match(await run('list'), { code: 0, out: /candidate/ });
  t.match(await run('rollback'), {
    code: 1,
    errors: /BUNDLE_NOT_FOUND: .*s3:\/\/bundles\/shop points at no version/,
  });

  const elsewhere = createCommandRunner({
    env: { ...env, SHORTLIST_REGISTRY: 's3://other/shop' },
    configsDir,
  });
  t.match(await elsewhere('list'), {
    code: 1,
    errors: /REGISTRY_FAILED: The bucket other could not list .*NoSuchBucket/,
  });
  const wrong = createCommandRunner({ env: { ...env, SHORTLIST_REGISTRY: 's3://B!' }, configsDir });
  t.match(await wrong('list'), {
    code: 1,
    errors: /INVALID_CONFIG: "s3:\/\/B!" is not the address of a bucket/,
  });

  await stop();
  t.match(await run('list'), { code: 1, errors: /REGISTRY_FAILED: .*Check the address/ });
});
