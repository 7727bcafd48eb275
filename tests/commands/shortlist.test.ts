import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { stringify } from 'yaml';
import { makeZip } from '../offline/data/make-zip.js';
import { createWorkplace } from './workplace.js';

/** The requests of the examples at the top of docs/filters.md, as paths and bodies. */
async function readFilterExamples(): Promise<{ get: string; body: string }> {
  const page = await readFile('docs/filters.md', 'utf8');
  const [get, post] = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!);
  const path = /curl -G localhost:3000(\S+)/.exec(get!)![1]!;
  const query = new URLSearchParams({ fields: /-d fields=(\S+)/.exec(get!)![1]! });
  for (const [, value] of get!.matchAll(/--data-urlencode 'filter=(.*?)'/g)) query.append('filter', value!);
  return { get: `${path}?${query}`, body: /-d '(.*?)'/s.exec(post!)![1]! };
}

t.test('from demo data to a served bundle', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];

  const made = await run('demo-data', '--path', raw, '--users', '60', '--items', '80');
  t.match(made, { code: 0, out: /Demo data is in .*raw/ });
  t.match(await run('prepare', '--path', raw, ...data), {
    code: 0,
    out: /interactions.*\n {2}types: (view|like) [\d,]+, (view|like) [\d,]+\n.*Prepared tables are in/s,
  });
  t.match(await run('publish', ...data), { code: 1, errors: /BUNDLE_NOT_FOUND: .*shortlist train/s });

  const trained = await run('train', ...data, '--protocol', 'chronological');
  t.match(trained, { code: 0, out: /Trained \d{8}T\d{6}Z-/ });
  const evaluated = await run('evaluate', ...data, '--protocol', 'chronological');
  t.match(evaluated, { code: 0, out: /\| two-stage .*The report is .*report\.html/s });
  t.match(await readFile(join(dir, 'data/trained/demo/report.html'), 'utf8'), /^<!doctype html>/i);

  const [, version, before] = /With it the bundle is (\S+), before (\S+)\. Next/.exec(evaluated.out)!;
  t.match(trained.out, `Trained ${before} `);
  t.match(await run('publish', ...data), { code: 0, out: `Published ${version} to ` });

  await t.test('the program serves it and stops when asked to', async (t) => {
    const server = spawn(
      process.execPath,
      [...process.execArgv, join(import.meta.dirname, '../../src/commands/shortlist.js'), 'serve'],
      {
        env: {
          ...process.env,
          PORT: '0',
          ADMIN_PORT: '0',
          SHORTLIST_REGISTRY: join(dir, 'models'),
          SHORTLIST_EVENTS_FOLDER: join(dir, 'events'),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const [line] = (await once(createInterface(server.stderr), 'line')) as [string];
    const [, url] = /at (http:\S+); try/.exec(line)!;
    const answer = (await (await fetch(`${url}/recommendations/u7?limit=5`)).json()) as {
      items: { itemId: string }[];
    };
    t.match(answer, { userId: 'u7', strategy: 'personalised', degraded: [] });
    t.equal(answer.items.length, 5);

    const examples = await readFilterExamples();
    const headers = { 'content-type': 'application/json' };
    const asked: [path: string, init: RequestInit, years: (year: number) => boolean][] = [
      [examples.get, {}, (year) => year >= 2000],
      [
        '/recommendations',
        { method: 'POST', headers, body: examples.body },
        (year) => (year >= 1990 && year <= 1999) || year === 2015,
      ],
    ];
    for (const [path, init, fits] of asked) {
      const response = await fetch(url + path, init);
      const { items } = (await response.json()) as { items: { attributes: { year: number } }[] };
      t.equal(response.status, 200, path);
      t.ok(items.length > 0 && items.every(({ attributes }) => fits(attributes.year)), path);
    }
    server.kill('SIGTERM');
    t.same(await once(server, 'exit'), [0, null]);
  });

  await t.test('training needs the scenario that it trains for', async (t) => {
    await rm(join(configsDir, 'scenarios/home.yaml'));
    t.match(await run('train', ...data), { code: 1, errors: /INVALID_CONFIG: .*no scenario 'home'/ });
  });
});

t.test('a download is checked, unpacked to where the dataset looks for it, and prepared', async (t) => {
  const { dir, run } = await createWorkplace(t);
  const interactions = ['user_id,item_id,timestamp', 'u1,i1,1700000000', 'u2,i1,1700000100'].join('\n');
  const archive = makeZip({ 'tiny/interactions.csv': interactions });
  const server = createServer((_, response) => response.end(archive)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const config = join(dir, 'tiny.yaml');
  await writeFile(
    config,
    stringify({
      name: 'tiny',
      description: 'Two rows.',
      licence: 'made here',
      path: join(dir, 'raw-tiny'),
      download: {
        url: `http://127.0.0.1:${port}/tiny.zip`,
        sha256: createHash('sha256').update(archive).digest('hex'),
      },
      interactions: { sql: "SELECT * FROM '{path}/interactions.csv'" },
      evaluation: { protocol: 'chronological' },
    }),
  );
  t.match(await run('download', config), { code: 0, out: /tiny is in .*raw-tiny/ });
  t.match(await run('prepare', '--dataset', config, '--data', join(dir, 'data')), {
    code: 0,
    out: /2 interactions of 2 users/,
  });
  t.match(await run('download', config), { code: 1, errors: /DOWNLOAD_FAILED: .*exists already/ });
  t.match(await run('train', '--dataset', config, '--data', join(dir, 'data')), {
    code: 1,
    errors: /^(TRAINING_FAILED|INVALID_DATASET): /,
  });
});

t.test('help and the version are no failures, command lines that make no sense are', async (t) => {
  const { run } = await createWorkplace(t);
  t.match(await run('--help'), { code: 0, out: /demo-data.*serve/s });
  t.match(await run('train', '--help'), { code: 0, out: /--protocol/ });
  t.match(await run('--version'), { code: 0, out: '0.0.0-test' });
  t.match(await run(), { code: 2, errors: /Usage: shortlist/ });
  t.match(await run('trian'), { code: 2, errors: /Did you mean train/ });
  t.match(await run('train', '--protocol', 'weekly'), { code: 2, errors: /Allowed choices are rolling/ });
  t.match(await run('demo-data', '--users', 'many'), { code: 2, errors: /integer from 1/ });
});

t.test('unknown datasets, and datasets without a download, are refused with what to do', async (t) => {
  const { run } = await createWorkplace(t);
  t.match(await run('prepare', '--dataset', 'netflix'), {
    code: 1,
    errors: /INVALID_CONFIG: .*netflix.*demo/s,
  });
  t.match(await run('download', 'demo'), { code: 1, errors: /names no download: put its files into/ });
});

t.test('a server without a bundle refuses to start and says what to do', async (t) => {
  const { run } = await createWorkplace(t);
  t.match(await run('serve'), { code: 1, errors: /BUNDLE_NOT_FOUND: .*candidate/s });
});
