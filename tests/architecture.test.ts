import t, { type Test } from 'tap';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isForServing } from './support/optional-packages.js';

/** Which rooms of src/ each room may import: those of the ranks above it, as ARCHITECTURE.md draws them. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  config: ['domain'],
  observability: ['domain'],
  bundle: ['domain'],
  features: ['domain', 'config', 'observability', 'bundle'],
  candidates: ['domain', 'config', 'observability', 'bundle', 'features'],
  ranking: ['domain', 'config', 'observability', 'bundle', 'features'],
  rules: ['domain', 'config', 'observability', 'bundle', 'features'],
  pipeline: ['domain', 'config', 'observability', 'bundle', 'features', 'candidates', 'ranking', 'rules'],
  serving: [...roomsUpToPipeline(), 'events'],
  events: roomsUpToPipeline(),
  offline: roomsUpToPipeline(),
  http: [...roomsUpToPipeline(), 'serving', 'events'],
  commands: [...roomsUpToPipeline(), 'serving', 'events', 'offline', 'http'],
};
const ROOMS = Object.keys(MAY_IMPORT);
const repository = process.cwd();

t.test('every folder of src/ is a room with import rules', async (t) => {
  t.same(
    readdirSync(`${repository}/src`).filter((room) => !ROOMS.includes(room)),
    [],
  );
});

for (const [form, importLine] of [
  [
    'an import',
    (room: string) => `import { value } from '../${room}/value.js';\nexport const copy = value;\n`,
  ],
  ['a type-only import', (room: string) => `export type { Value } from '../${room}/value.js';\n`],
  ['a dynamic import', (room: string) => `export const later = import('../${room}/value.js');\n`],
] as const) {
  t.test(`the linter refuses ${form} of a room that is not above, and no other`, async (t) => {
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const room of ROOMS) {
      files[`src/${room}/value.ts`] = 'export type Value = number;\nexport const value: Value = 1;\n';
      for (const other of ROOMS.filter((name) => name !== room)) {
        const file = `src/${room}/imports-${other}.ts`;
        files[file] = importLine(other);
        if (!MAY_IMPORT[room]!.includes(other)) forbidden.push(file);
      }
    }

    const refusals = await lint(t, files);

    const refused = refusals.filter(({ rule }) => rule === 'no-restricted-imports').map(({ file }) => file);
    t.same(refused.sort(), forbidden.sort());
  });
}

t.test('the linter refuses an import cycle, of types alone too', async (t) => {
  const refusals = await lint(t, {
    'src/domain/one.ts': "import type { Two } from './two.js';\nexport interface One {\n  two?: Two;\n}\n",
    'src/domain/two.ts': "import type { One } from './one.js';\nexport interface Two {\n  one?: One;\n}\n",
  });

  t.same(refusals, [
    { file: 'src/domain/one.ts', rule: 'no-cycle' },
    { file: 'src/domain/two.ts', rule: 'no-cycle' },
  ]);
});

t.test('the linter refuses to read the environment and the arguments outside of commands/', async (t) => {
  const reading = "export const inputs = [process.env['PORT'], process.argv[2]];\n";
  const rooms = ROOMS.map((room) => [`src/${room}/inputs.ts`, reading]);

  const refusals = await lint(t, Object.fromEntries(rooms));

  const expected = ROOMS.filter((room) => room !== 'commands').flatMap((room) => {
    const refusal = { file: `src/${room}/inputs.ts`, rule: 'no-restricted-properties' };
    return [refusal, refusal];
  });
  t.same(refusals, sortRefusals(expected));
});

t.test('the linter refuses every offline-only library outside of offline/ and commands/', async (t) => {
  const { optionalDependencies } = JSON.parse(readFileSync(`${repository}/package.json`, 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const files: Record<string, string> = {};
  const forbidden: string[] = [];
  for (const room of ROOMS) {
    for (const library of Object.keys(optionalDependencies).filter((name) => !isForServing(name))) {
      const file = `src/${room}/imports-${library.replace(/[^a-z]/g, '-')}.ts`;
      files[file] = `export { default as library } from '${library}';\n`;
      if (room !== 'offline' && room !== 'commands') forbidden.push(file);
    }
  }

  const refusals = await lint(t, files);

  const refused = refusals.filter(({ rule }) => rule === 'no-restricted-imports').map(({ file }) => file);
  t.same([...new Set(refused)], forbidden.sort());
});

interface Refusal {
  readonly file: string;
  readonly rule: string;
}

/** Runs the real linter with the real configuration over files of a scratch folder; sorted by file, then rule. */
async function lint(t: Test, files: Readonly<Record<string, string>>): Promise<Refusal[]> {
  const scratch = t.testdir(
    toTree({
      // Marks a root, without which the linter would obey the .gitignore of this checkout and skip the folder.
      '.git/HEAD': '',
      '.oxlintrc.json': readFileSync(`${repository}/.oxlintrc.json`, 'utf8'),
      'tsconfig.json': readFileSync(`${repository}/tsconfig.json`, 'utf8'),
      ...files,
    }),
  );
  const report = await runLinter(scratch);
  if (report.number_of_files !== Object.keys(files).length) throw new Error('the linter skipped files');
  return sortRefusals(
    report.diagnostics.map(({ filename, code }) => ({
      file: filename,
      rule: code.replace(/^.*\((.*)\)$/, '$1'),
    })),
  );
}

interface LintReport {
  readonly number_of_files: number;
  readonly diagnostics: readonly { filename: string; code: string }[];
}

function runLinter(folder: string): Promise<LintReport> {
  return new Promise((resolve, reject) => {
    // tap has every child process load its hooks, which the linter's module format does not survive.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, `${repository}/node_modules/oxlint/bin/oxlint`];
    const limits = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    // Its exit code says that it found something, which is what we want: the report is the answer.
    execFile('env', [...command, '--format=json'], limits, (_found, stdout, stderr) => {
      if (stdout.startsWith('{')) resolve(JSON.parse(stdout) as LintReport);
      else reject(new Error(`no report from the linter: ${stdout}${stderr}`));
    });
  });
}

type Tree = { [name: string]: string | Tree };

function toTree(files: Readonly<Record<string, string>>): Tree {
  const root: Tree = {};
  for (const [path, text] of Object.entries(files)) {
    const folders = path.split('/');
    const name = folders.pop()!;
    const folder = folders.reduce((tree, part) => (tree[part] ??= {}) as Tree, root);
    folder[name] = text;
  }
  return root;
}

function sortRefusals(refusals: readonly Refusal[]): Refusal[] {
  return [...refusals].sort((a, b) => (a.file + a.rule < b.file + b.rule ? -1 : 1));
}

function roomsUpToPipeline(): string[] {
  return 'domain config observability bundle features candidates ranking rules pipeline'.split(' ');
}
