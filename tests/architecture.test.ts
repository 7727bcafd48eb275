import t, { type Test } from 'tap';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  engine: roomsUpToPipeline(),
  serving: [...roomsUpToEngine(), 'events', 'overrides'],
  events: roomsUpToPipeline(),
  overrides: roomsUpToPipeline(),
  offline: roomsUpToEngine(),
  http: [...roomsUpToEngine(), 'serving', 'events', 'overrides'],
  'load-test': ['domain', 'config', 'offline'],
  // But types of http/schemas/.
  explorer: [],
  commands: [...roomsUpToEngine(), 'serving', 'events', 'overrides', 'offline', 'http', 'load-test'],
};
const ROOMS = Object.keys(MAY_IMPORT);

/** The same of the wings of src/offline/. */
const WING_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  progress: [],
  protocol: [],
  data: ['progress', 'protocol'],
  report: ['progress', 'protocol'],
  training: ['progress', 'protocol', 'data', 'report'],
  evaluation: ['progress', 'protocol', 'data', 'report', 'training'],
  exchange: ['progress', 'protocol', 'data', 'report', 'training', 'evaluation'],
  feedback: ['progress', 'protocol', 'data', 'report', 'training', 'evaluation'],
};
const WINGS = Object.keys(WING_MAY_IMPORT);

/** Rooms whose libraries need not be in the serving image. */
const OFFLINE_ROOMS = ['offline', 'load-test', 'commands'];
const repository = process.cwd();

t.test('every folder of src/ is a room with import rules', async (t) => {
  t.same(
    readdirSync(`${repository}/src`).filter((room) => !ROOMS.includes(room)),
    [],
  );
});

t.test('every folder of src/offline/ is a wing with import rules', async (t) => {
  const entries = readdirSync(`${repository}/src/offline`, { withFileTypes: true });

  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);

  t.same(folders.sort(), [...WINGS].sort());
});

t.test('no folders of src/offline/ import each other, by way of others neither', async (t) => {
  const imports = readFolderImports('src/offline');

  t.same(findFolderCycle(imports), undefined);
  t.ok(imports.size > WINGS.length, 'it has read folders inside of wings');
});

t.test('a cycle of folders is found', async (t) => {
  const imports = new Map([
    ['views', ['data']],
    ['stage-one', ['views', 'sources']],
    ['sources', ['stage-one']],
  ]);

  t.same(findFolderCycle(imports), ['stage-one', 'sources', 'stage-one']);
});

const FORMS = [
  [
    'an import',
    (folder: string) => `import { value } from '${folder}/value.js';\nexport const copy = value;\n`,
  ],
  ['a type-only import', (folder: string) => `export type { Value } from '${folder}/value.js';\n`],
  ['a dynamic import', (folder: string) => `export const later = import('${folder}/value.js');\n`],
] as const;
const VALUE = 'export type Value = number;\nexport const value: Value = 1;\n';

for (const [form, importLine] of FORMS) {
  t.test(`the linter refuses ${form} of a room that is not above, and no other`, async (t) => {
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const room of ROOMS) {
      files[`src/${room}/value.ts`] = VALUE;
      for (const other of ROOMS.filter((name) => name !== room)) {
        const file = `src/${room}/imports-${other}.ts`;
        files[file] = importLine(`../${other}`);
        if (!MAY_IMPORT[room]!.includes(other)) forbidden.push(file);
      }
    }

    t.same(await listRefusedImports(t, files), forbidden.sort());
  });

  t.test(`the linter refuses ${form} of a wing of offline/ that is not above, and no other`, async (t) => {
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const wing of WINGS) {
      files[`src/offline/${wing}/value.ts`] = VALUE;
      for (const other of WINGS.filter((name) => name !== wing)) {
        const file = `src/offline/${wing}/imports-${other}.ts`;
        const inner = `src/offline/${wing}/inner/imports-${other}.ts`;
        files[file] = importLine(`../${other}`);
        files[inner] = importLine(`../../${other}`);
        if (!WING_MAY_IMPORT[wing]!.includes(other)) forbidden.push(file, inner);
      }
    }

    t.same(await listRefusedImports(t, files), forbidden.sort());
  });
}

t.test('the linter refuses a wing what it refuses offline/, and nothing else', async (t) => {
  const files: Record<string, string> = {};
  const forbidden: string[] = [];
  for (const wing of WINGS) {
    for (const room of ROOMS.filter((name) => name !== 'offline')) {
      const file = `src/offline/${wing}/imports-${room}.ts`;
      files[`src/${room}/value.ts`] = VALUE;
      files[file] = `export type { Value } from '../../${room}/value.js';\n`;
      if (!MAY_IMPORT['offline']!.includes(room)) forbidden.push(file);
    }
    const reading = `src/offline/${wing}/reads-the-process.ts`;
    files[reading] = "export { argv } from 'node:process';\n";
    forbidden.push(reading);
  }

  t.same(await listRefusedImports(t, files), forbidden.sort());
});

t.test(
  'the linter lets load-test/ import of offline/ what tells of progress, data and figures',
  async (t) => {
    const allowed = ['progress', 'protocol', 'data', 'report'];
    const files: Record<string, string> = {};
    for (const wing of WINGS) {
      files[`src/offline/${wing}/value.ts`] = VALUE;
      files[`src/load-test/imports-${wing}.ts`] =
        `export type { Value } from '../offline/${wing}/value.js';\n`;
    }

    const forbidden = WINGS.filter((wing) => !allowed.includes(wing));
    t.same(
      await listRefusedImports(t, files),
      forbidden.map((wing) => `src/load-test/imports-${wing}.ts`).sort(),
    );
  },
);

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

t.test('the linter refuses every offline-only library outside of the rooms that do not serve', async (t) => {
  const { optionalDependencies } = JSON.parse(readFileSync(`${repository}/package.json`, 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const files: Record<string, string> = {};
  const forbidden: string[] = [];
  for (const room of ROOMS) {
    for (const library of Object.keys(optionalDependencies).filter((name) => !isForServing(name))) {
      const file = `src/${room}/imports-${library.replace(/[^a-z]/g, '-')}.ts`;
      files[file] = `export { default as library } from '${library}';\n`;
      if (!OFFLINE_ROOMS.includes(room)) forbidden.push(file);
    }
  }

  t.same([...new Set(await listRefusedImports(t, files))], forbidden.sort());
});

/** Files with an import that the linter refuses, sorted. */
async function listRefusedImports(t: Test, files: Readonly<Record<string, string>>): Promise<string[]> {
  const refusals = await lint(t, files);
  return refusals.filter(({ rule }) => rule === 'no-restricted-imports').map(({ file }) => file);
}

/** The folders below a folder of the repository that its files import of each other, by folder. */
function readFolderImports(root: string): Map<string, string[]> {
  const imports = new Map<string, Set<string>>();
  for (const path of readdirSync(`${repository}/${root}`, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const folder = dirname(path);
    const found = imports.get(folder) ?? new Set();
    imports.set(folder, found);
    const text = readFileSync(`${repository}/${root}/${path}`, 'utf8');
    for (const [, imported] of text.matchAll(/(?:from|import|import\(|new URL\()\s*'(\.{1,2}\/[^']+)'/g)) {
      const other = dirname(join(folder, imported!));
      if (other !== folder && !other.startsWith('..')) found.add(other);
    }
  }
  return new Map([...imports].map(([folder, others]) => [folder, [...others]]));
}

/** A way from a folder back to itself; undefined where there is none. */
function findFolderCycle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (folder: string, way: readonly string[]): string[] | undefined => {
    const start = way.indexOf(folder);
    if (start >= 0) return [...way.slice(start), folder];
    if (done.has(folder)) return undefined;
    for (const other of imports.get(folder) ?? []) {
      const found = walk(other, [...way, folder]);
      if (found !== undefined) return found;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of imports.keys()) {
    const found = walk(folder, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

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

function roomsUpToEngine(): string[] {
  return [...roomsUpToPipeline(), 'engine'];
}

function roomsUpToPipeline(): string[] {
  return 'domain config observability bundle features candidates ranking rules pipeline'.split(' ');
}
