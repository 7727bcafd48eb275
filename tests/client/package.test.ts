import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import ts from 'typescript';

const TSC = 'node_modules/typescript/bin/tsc';
const USES_ALL = `
import { createShortlistClient, ShortlistProblem, ShortlistUnreachable, type SlateItem } from '@shortlist/client';

const shortlist = createShortlistClient({ baseUrl: 'https://shortlist.example', apiKey: 'sl_x', timeoutMs: 500 });

export async function listTitles(userId: string, signal: AbortSignal): Promise<string[]> {
  try {
    const { items, strategy } = await shortlist.recommendations(userId, { limit: 5, explain: 'sources', signal });
    const kind: string = strategy === 'cold-start' ? 'new here' : strategy;
    return [kind, ...items.map(({ itemId, attributes }: SlateItem) => String(attributes['title'] ?? itemId))];
  } catch (error) {
    if (error instanceof ShortlistProblem && error.code === 'UNKNOWN_SCENARIO') return [error.detail];
    if (error instanceof ShortlistUnreachable && error.reason === 'timeout') return [];
    throw error;
  }
}

export const others = [
  shortlist.similarItems('i1', { filter: ['genres:Comedy'] }).then(({ itemId }) => itemId),
  shortlist.popular({ exclude: ['i1'], timeoutMs: 100 }).then(({ bundle }) => bundle),
  shortlist.ready().then(({ channel }) => channel),
  shortlist
    .events([{ userId: 'u1', itemId: 'i1', type: 'click', timestamp: 1_767_323_045, context: { device: 'mobile' } }], { keepalive: true })
    .then(({ accepted, refused }) => accepted + refused.length),
];
createShortlistClient({ baseUrl: '/api', token: async () => 'jwt', retries: 0, fetch: (request) => fetch(request) });
`;

/** Each line but the first two is wrong. */
const WRONG = `import { createShortlistClient, ShortlistProblem } from '@shortlist/client';
const client = createShortlistClient({ baseUrl: 'https://shortlist.example' });
createShortlistClient({ apiKey: 'no address' });
createShortlistClient({ baseUrl: '', apiKey: 'one', token: 'too many' });
void client.recommendations(42);
void client.recommendations('u1', { limit: '5' });
void client.recommendations('u1', { explain: 'everything' });
void client.popular({ scenario: 'home' });
void client.similarItems('i1', { context: ['hour:3'] });
void client.ready().then(({ items }) => items);
void client.popular().then(({ userId }) => userId);
export const isGone = (problem: ShortlistProblem): boolean => problem.code === 410;
void client.events([{ userId: 'u1', itemId: 'i1' }]);
void client.events([{ userId: 'u1', itemId: 'i1', type: 'click', when: 'now' }]);
void client.events({ userId: 'u1', itemId: 'i1', type: 'click' });
void client.recommendations('u1').then(({ strategy }): 'personalised' | 'cold-start' => strategy);
`;

/** A folder of an app in which the package is installed as it is published. */
async function installPackage(app: string): Promise<string> {
  const folder = join(app, 'node_modules/@shortlist/client');
  mkdirSync(folder, { recursive: true });
  cpSync('client/package.json', join(folder, 'package.json'));
  const outDir = join(folder, 'dist');
  await promisify(execFile)(process.execPath, [TSC, '-p', 'client/tsconfig.json', '--outDir', outDir]);
  return outDir;
}

/** The lines of a file that the compiler objects to. */
function findWrongLines(file: string, text: string, options: ts.CompilerOptions = {}): number[] {
  writeFileSync(file, text);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    skipDefaultLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    ...options,
  });
  const found = ts.getPreEmitDiagnostics(program);
  const elsewhere = found.filter((diagnostic) => diagnostic.file?.fileName !== file);
  t.same(
    elsewhere.map(({ messageText }) => messageText),
    [],
  );
  return found.map(({ file: source, start }) => source!.getLineAndCharacterOfPosition(start!).line + 1);
}

t.test('an app that installs the package', async (t) => {
  const app = t.testdir({ 'package.json': '{ "type": "module" }' });
  const built = await installPackage(app);

  await t.test('compiles strictly, with every way of finding modules', async (t) => {
    t.same(findWrongLines(join(app, 'app.ts'), USES_ALL), []);
    const { CommonJS, ESNext } = ts.ModuleKind;
    const { Bundler, Node10 } = ts.ModuleResolutionKind;
    for (const options of [
      { module: ESNext, moduleResolution: Bundler },
      { module: ESNext, moduleResolution: Node10 },
      { module: CommonJS, moduleResolution: Node10, esModuleInterop: true },
    ])
      t.same(findWrongLines(join(app, 'page.ts'), USES_ALL, options), [], JSON.stringify(options));
  });

  await t.test('may load it by import and by require', async (t) => {
    cpSync('node_modules/openapi-fetch', join(app, 'node_modules/openapi-fetch'), { recursive: true });
    for (const [file, load] of [
      ['load.mjs', `import { createShortlistClient } from '@shortlist/client';`],
      ['load.cjs', `const { createShortlistClient } = require('@shortlist/client');`],
    ] as const) {
      writeFileSync(join(app, file), `${load}\nconsole.log(typeof createShortlistClient);`);
      const { stdout } = await promisify(execFile)(process.execPath, [join(app, file)]);
      t.equal(stdout, 'function\n', file);
    }
  });

  await t.test('may take the examples of the READMEs', async (t) => {
    for (const page of ['README.md', 'client/README.md']) {
      const [, example] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(page, 'utf8'))!;
      t.same(findWrongLines(join(app, 'example.ts'), example!), [], page);
    }
  });

  await t.test('does not compile where it is wrong', async (t) => {
    const wrong = WRONG.split('\n').flatMap((text, index) => (index > 1 && text !== '' ? [index + 1] : []));
    t.same([...new Set(findWrongLines(join(app, 'wrong.ts'), WRONG))], wrong);
  });

  await t.test('loads nothing but openapi-fetch, so that browsers can', async (t) => {
    const imported = readdirSync(built)
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => [...readFileSync(join(built, file), 'utf8').matchAll(/\bfrom '([^']+)'/g)]);
    const names = new Set(imported.map(([, name]) => name!).filter((name) => !name.startsWith('./')));
    t.same([...names], ['openapi-fetch']);
  });
});

t.test('what the package depends on is what it is tested with', async (t) => {
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const { dependencies } = read('client/package.json') as { dependencies: Record<string, string> };
  const { devDependencies } = read('package.json') as { devDependencies: Record<string, string> };
  for (const [name, version] of Object.entries(dependencies)) t.equal(devDependencies[name], version, name);
  t.equal(readFileSync('client/LICENSE', 'utf8'), readFileSync('LICENSE', 'utf8'));
});
