import t from 'tap';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { listFiles } from './docs/markdown-pages.js';
import { isForServing } from './support/optional-packages.js';

const repository = process.cwd();
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  license: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

t.test('the image leaves out what only offline commands load, and nothing that a server may', async (t) => {
  const [, removed] = /npm uninstall (?:--\S+ )+\\\s+(.+)$/m.exec(read('Dockerfile'))!;
  const offline = Object.keys(manifest.optionalDependencies).filter((name) => !isForServing(name));
  t.same(removed!.split(' '), offline.sort());
});

// The server may load some optional packages when it is told to, by `import()`; it must start without them. `shortlist.ts` may
// reach other commands by `import()` only: what it imports at its top is loaded whichever command runs.
t.test('the server imports no package that the image leaves out', async (t) => {
  const rooms = ['src/http', 'src/serving', 'src/observability'].flatMap(listFiles);
  const commands = listFiles('src/commands').filter((path) => /\/(shortlist|serve)\.ts$/.test(path));

  const packages = findImportedPackages([...rooms, ...commands]);

  t.ok(packages.size > 0);
  t.same(
    [...packages].filter(([name]) => manifest.dependencies[name] === undefined),
    [],
  );
});

t.test('an import of a left-out package is found through other files', async (t) => {
  const offline = listFiles('src/offline').filter((path) => path.endsWith('.ts'));
  const packages = findImportedPackages(offline);
  t.ok(Object.keys(manifest.optionalDependencies).some((name) => packages.has(name)));
});

t.test('.dockerignore lets through what the Dockerfile copies, and it exists', async (t) => {
  const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path!);
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
    paths!.split(' '),
  );
  t.same(
    copied.filter((path) => !allowed.includes(path) || !existsSync(join(repository, path))),
    [],
  );
  t.same([...new Set(copied)].sort(), allowed.sort());
});

t.test(
  'the image says its version, commit, source and licence, and holds its bill of materials',
  async (t) => {
    const dockerfile = read('Dockerfile');
    for (const word of ['version', 'revision', 'source']) {
      t.match(dockerfile, `org.opencontainers.image.${word}="\${${word.toUpperCase()}}"`);
      t.match(dockerfile, `ARG ${word.toUpperCase()}=\n`);
      t.match(read('Makefile'), `--build-arg ${word.toUpperCase()}=`);
    }
    t.match(dockerfile, `org.opencontainers.image.licenses="${manifest.license}"`);
    const written = dockerfile.indexOf('RUN node write-sbom.js sbom.json --installed');
    t.ok(written > dockerfile.indexOf('npm uninstall'), 'of what is left');
    t.match(dockerfile, 'COPY --from=dependencies /app/sbom.json ./');
  },
);

/** Package name → the first file found to import it, over everything that the files reach by static imports of values. */
function findImportedPackages(files: readonly string[]): Map<string, string> {
  const packages = new Map<string, string>();
  const waiting = [...files];
  const seen = new Set<string>();
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const target of readStaticImports(file)) {
      if (target.startsWith('node:')) continue;
      if (target.startsWith('.'))
        waiting.push(normalize(join(dirname(file), target)).replace(/\.js$/, '.ts'));
      else packages.set(toPackageName(target), file);
    }
  }
  return packages;
}

/** `import type` and `export type` leave nothing behind when compiled. */
function readStaticImports(file: string): string[] {
  const statement = /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm;
  return [...read(file).matchAll(statement)].map(([, target]) => target!);
}

function toPackageName(target: string): string {
  const parts = target.split('/');
  return parts.slice(0, target.startsWith('@') ? 2 : 1).join('/');
}
