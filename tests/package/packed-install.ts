import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { REPOSITORY } from '../docs/markdown-pages.js';
import {
  createUserFolder,
  findObstacle,
  run,
  type UserFolder,
  waitFor,
  withoutTestRunner,
} from './user-folder.js';

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { path: string }[];
}

/** Ports that are free. */
const VARIABLES = { PORT: '0', ADMIN_PORT: '0' };

/** `npm install` as the README has it, with what npm has kept where it has. */
const INSTALL = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];

const ASK = `
import { createShortlistClient } from '@shortlist/client';
const client = createShortlistClient({ baseUrl: process.argv[2], timeoutMs: 30_000 });
const { items } = await client.recommendations('u42', { limit: 3 });
const similar = await client.similarItems(items[0].itemId, { limit: 2 });
const popular = await client.popular({ limit: 1 });
const refused = await client.recommendations('u42', { scenario: 'none' }).catch(({ code }) => code);
console.log(JSON.stringify({
  ready: await client.ready(),
  counts: [items.length, similar.items.length, popular.items.length],
  refused,
}));
`;

const user = await createUserFolder(t, VARIABLES);
const shortlist = await pack('.', user.path);
const client = await pack('client', user.path);
const obstacle = await findObstacle(user);

// Awaited above: between two tests the runner would take the first for the last.
t.plan(4);

t.test('the package holds what the commands need, and neither sources nor tests', async (t) => {
  const paths = shortlist.files.map(({ path }) => path);
  t.comment(
    `shortlist: ${shortlist.size} bytes packed, ${shortlist.unpackedSize} unpacked, ${paths.length} files`,
  );
  for (const path of [
    'dist/commands/shortlist.js',
    'dist/explorer/index.html',
    'dist/explorer/NOTICE.txt',
    'configs/default.yaml',
    'configs/training.yaml',
    'configs/gates.yaml',
    'configs/scenarios/home.yaml',
    'configs/datasets/demo.yaml',
    'configs/load/smoke.yaml',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ]) {
    t.ok(paths.includes(path), path);
  }
  t.same(
    paths.filter((path) =>
      /^(src|tests|benchmarks|client\/src|models|data|deploy)\/|\.ts$|\.map$|^dist\/\./.test(path),
    ),
    [],
  );
  t.ok(shortlist.unpackedSize < 6e6, 'a package of a few megabytes, one of them pictures of the docs');
});

t.test('a link of the README leads to something in the package', async (t) => {
  const paths = shortlist.files.map(({ path }) => path);
  const text = await readFile('README.md', 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!);
  t.ok(links.length > 20);
  t.same(
    links.filter((link) => !paths.some((path) => path === link || path.startsWith(link))),
    [],
  );
});

t.test('the client is its compiled files with their types', async (t) => {
  t.comment(`@shortlist/client: ${client.size} bytes packed, ${client.files.length} files`);
  const paths = client.files.map(({ path }) => path);
  for (const path of ['LICENSE', 'README.md', 'dist/shortlist-client.js', 'dist/shortlist-client.d.ts'])
    t.ok(paths.includes(path), path);
  t.same(
    paths.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/[\w-]+(\.d\.ts|\.js))$/.test(path)),
    [],
  );
});

t.test('a user installs both and goes from demo data to recommendations', obstacle, async (t) => {
  const installed = await user.run('npm', ...INSTALL, `./${shortlist.filename}`, `./${client.filename}`);
  t.equal(installed.code, 0, installed.errors);

  await t.test('the packages are what other tools expect of one', async (t) => {
    for (const name of ['shortlist', '@shortlist/client']) {
      const pkgDir = join(user.path, 'node_modules', name);
      const { messages, pkg } = await publint({ pkgDir, pack: false, level: 'warning' });
      t.same(
        messages.map((message) => formatMessage(message, pkg!)),
        [],
        name,
      );
    }
  });

  await t.test('the program says what it is and can', async (t) => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    t.match(await user.run('npx', 'shortlist', '--version'), { code: 0, out: `${version}\n` });
    t.match(await user.run('npx', 'shortlist', '--help'), {
      code: 0,
      out: /demo-data[\s\S]+prepare[\s\S]+serve/,
    });
    t.match(await user.run('npx', 'shortlist', 'no-such-command'), { code: 2 });
  });

  await t.test('demo data is made and prepared with the configs of the package', async (t) => {
    await succeed(t, 'demo-data');
    await succeed(t, 'prepare', '--dataset', 'demo');
    t.notOk(existsSync(join(user.path, 'configs')));
  });

  await t.test('a bundle is trained with configs of one’s own, and published', async (t) => {
    await copyConfigs(user);
    await succeed(t, 'train', '--dataset', 'demo');
    await succeed(t, 'publish', '--dataset', 'demo');
  });

  await t.test('it is served to the client and to a browser, until SIGTERM', async (t) => {
    const serving = user.start(join(user.path, 'node_modules/.bin/shortlist'), 'serve');
    const ended = once(serving, 'close');
    const [, url] = await waitFor(serving, /at (http:\S+); try/);
    await writeFile(join(user.path, 'ask.mjs'), ASK);
    const asked = await user.run(process.execPath, 'ask.mjs', url!);
    t.match(asked, { code: 0 }, asked.errors);
    t.match(JSON.parse(asked.out), {
      ready: { status: 'ready', channel: 'candidate' },
      counts: [3, 2, 1],
      refused: 'UNKNOWN_SCENARIO',
    });
    t.match(await (await fetch(`${url}/docs`)).text(), /<title>Shortlist/);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
    t.ok(Object.keys(document.paths).includes('/recommendations/{userId}'));
    serving.kill('SIGTERM');
    t.same(await ended, [0, null]);
  });
});

/** Packs a folder of the repository as it would be published. */
async function pack(folder: string, destination: string): Promise<Packed> {
  const env = withoutTestRunner(process.env);
  const args = ['pack', '--json', '--pack-destination', destination];
  const { code, out, errors } = await run('npm', args, { cwd: join(REPOSITORY, folder), env });
  if (code !== 0) throw new Error(`npm pack of ${folder} failed: ${out}${errors}`);
  // What the build prints comes first.
  return (JSON.parse(out.slice(out.indexOf('[\n'))) as [Packed])[0];
}

async function succeed(t: Test, ...argv: string[]): Promise<void> {
  const { code, out, errors } = await user.run('npx', 'shortlist', ...argv);
  t.equal(code, 0, code === 0 ? `shortlist ${argv.join(' ')}` : `${out}${errors}`);
}

/** The configs of the package as those of the folder, made small enough for a test. */
async function copyConfigs({ path }: UserFolder): Promise<void> {
  await cp(join(path, 'node_modules/shortlist/configs'), join(path, 'configs'), { recursive: true });
  const file = join(path, 'configs/training.yaml');
  const shipped = parse(await readFile(file, 'utf8')) as Record<'als' | 'ranker', object>;
  const small = {
    ...shipped,
    als: { ...shipped.als, dimensions: 8, epochs: 4 },
    ranker: { ...shipped.ranker, maxTrees: 20, rollingCuts: 2, maxRows: 50_000 },
  };
  await writeFile(file, stringify(small));
}
