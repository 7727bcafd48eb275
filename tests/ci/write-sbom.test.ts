import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runScript } from './run-script.js';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { alg: string; content: string }[];
  readonly licenses: readonly { license?: { id?: string; name?: string }; expression?: string }[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { component: Component & { type: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { ref: string; dependsOn: readonly string[] }[];
}

const readBom = (file: string): Bom => JSON.parse(readFileSync(file, 'utf8')) as Bom;

t.test(
  'the bill of materials has every production dependency of the lock file, and what is in the page, with its licence',
  async (t) => {
    const file = join(t.testdir({}), 'new/sbom.json');
    t.match(await runScript('.', ['.ci/write-sbom.js', file]), { exitCode: 0, errors: '' });
    const bom = readBom(file);
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { version: string; dev?: boolean; integrity?: string }>;
    };
    const isBundled = (path: string): boolean => ['node_modules/preact', 'node_modules/uplot'].includes(path);
    const shipped = Object.entries(packages).filter(
      ([path, { dev }]) => path !== '' && (dev !== true || isBundled(path)),
    );
    const expected = shipped.map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);

    t.match(bom, { bomFormat: 'CycloneDX', specVersion: /^1\.\d$/ });
    t.match(bom.metadata.component, {
      type: 'application',
      name: 'shortlist',
      licenses: [{ license: { id: 'MIT' } }],
    });
    t.same(bom.components.map((component) => component['bom-ref']).sort(), [...new Set(expected)].sort());
    for (const { name, version, purl, hashes, licenses } of bom.components) {
      const [{ license, expression } = {}] = licenses;
      t.ok(license?.id ?? license?.name ?? expression, `${name} has a licence`);
      t.equal(purl, `pkg:npm/${name.replace('@', '%40')}@${version}`);
      t.match(hashes, [{ alg: 'SHA-512', content: /^[\da-f]{128}$/ }], name);
    }
  },
);

t.test('what depends on what names nothing that is left out', async (t) => {
  const file = join(t.testdir({}), 'sbom.json');
  await runScript('.', ['.ci/write-sbom.js', file]);
  const bom = readBom(file);
  const known = [bom.metadata.component, ...bom.components].map((component) => component['bom-ref']);
  t.same(bom.dependencies.map(({ ref }) => ref).sort(), known.toSorted());
  const named = bom.dependencies.flatMap(({ dependsOn }) => dependsOn);
  t.ok(named.length > known.length / 2);
  t.same(
    named.filter((ref) => !known.includes(ref)),
    [],
  );
});

t.test('of an image it is what is in there, and in the page', async (t) => {
  const folder = t.testdir({ node_modules: { fastify: {}, '@fastify': { cors: {} }, tap: {} } });
  for (const name of ['package.json', 'package-lock.json']) cpSync(name, join(folder, name));
  t.match(await runScript(folder, ['.ci/write-sbom.js', 'sbom.json', '--installed']), { exitCode: 0 });
  t.same(
    readBom(join(folder, 'sbom.json')).components.map(({ name }) => name),
    ['@fastify/cors', 'fastify', 'preact', 'uplot'],
  );
});

t.test('of a lock file that npm cannot read there is none, and the reason is said', async (t) => {
  const folder = t.testdir({ 'package.json': '{}', 'package-lock.json': '{ "packages": {} }' });
  t.match(await runScript(folder, ['.ci/write-sbom.js', 'sbom.json']), {
    exitCode: 1,
    errors: /npm sbom failed/,
  });
});
