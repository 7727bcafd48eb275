import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rmdir, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommandLine } from '../../src/commands/program.js';
import { packError, unpackError } from '../../src/domain/packed-error.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { findSystemFault, toSystemFailure } from '../../src/domain/system-failure.js';
import { openDatabase } from '../../src/offline/data/database.js';
import { createCommandRunner } from '../support/command-runner.js';

const PROGRAM = join(import.meta.dirname, '../../src/commands/shortlist.js');

/** Runs a command line as a process of its own, by way of a shell. */
function runInShell(line: string, env: Record<string, string> = {}) {
  const command = line.replace('shortlist', `"${process.execPath}" "${PROGRAM}"`);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, stdout, stderr };
}

function expectSystemFailure(
  t: Test,
  { code, errors }: { code: number | null; errors: string },
  wanted: RegExp,
): void {
  t.equal(code, 1);
  t.match(errors, wanted);
  t.notMatch(errors, /^ +at /m, 'no stack');
}

/** A file system of its own for a test; undefined where this machine lets nobody make one. */
async function mountSmall(t: Test, options: { kilobytes: number; readOnly?: boolean }) {
  // Not a folder of the test: that is removed before its teardown unmounts anything.
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const mount = (...argv: string[]) => spawnSync('mount', argv).status === 0;
  const isMounted = mount('-t', 'tmpfs', '-o', `size=${options.kilobytes}k`, 'tmpfs', folder);
  t.teardown(async () => {
    if (isMounted) spawnSync('umount', [folder]);
    await rmdir(folder);
  });
  if (options.readOnly === true) mount('-o', 'remount,ro', folder);
  return isMounted ? folder : undefined;
}

const NO_MOUNTS = 'only root may mount a file system here';
const SMALL_DATA = ['demo-data', '--users', '60', '--items', '80', '--path'];

t.test('a full disk is named with what to do, and leaves nothing half done', async (t) => {
  const disk = await mountSmall(t, { kilobytes: 40 });
  if (disk === undefined) {
    t.pass(NO_MOUNTS, { skip: NO_MOUNTS });
    return;
  }
  const { code, errors } = await createCommandRunner()(...SMALL_DATA, join(disk, 'raw'));
  expectSystemFailure(
    t,
    { code, errors },
    /^SYSTEM_FAILED: ENOSPC \(no space left on device\): write .*\/\.raw.*\.parquet\. The disk is full/,
  );
  t.strictSame(await readdir(disk), []);
});

t.test('a full disk under DuckDB is named, too', async (t) => {
  const disk = await mountSmall(t, { kilobytes: 40 });
  if (disk === undefined) {
    t.pass(NO_MOUNTS, { skip: NO_MOUNTS });
    return;
  }
  const { connection, close } = await openDatabase();
  t.teardown(close);
  const file = join(disk, 'x.parquet');
  const writing = connection.run(`COPY (SELECT random() FROM range(100000)) TO '${file}' (FORMAT parquet)`);
  const fault = findSystemFault(await writing.catch((error: unknown) => error));
  t.match(toSystemFailure(fault!).message, /^ENOSPC .*x\.parquet.*The disk is full/s);
});

t.test('a disk that is mounted read-only is named with what to do', async (t) => {
  const disk = await mountSmall(t, { kilobytes: 400, readOnly: true });
  if (disk === undefined) {
    t.pass(NO_MOUNTS, { skip: NO_MOUNTS });
    return;
  }
  const { code, errors } = await createCommandRunner()(...SMALL_DATA, join(disk, 'raw'));
  expectSystemFailure(
    t,
    { code, errors },
    /^SYSTEM_FAILED: EROFS \(read-only file system\): mkdir .*\/\.raw/,
  );
});

/** Commands, and what stands where they look. */
const PLACES: readonly [string, (dir: string) => Promise<unknown>, (dir: string) => string[], RegExp][] = [
  [
    'a file in the place of the registry',
    (dir) => writeFile(join(dir, 'models'), ''),
    () => ['list'],
    /^SYSTEM_FAILED: ENOTDIR .*models\/channels\. A part of the path is a file/,
  ],
  [
    'links in a circle in the place of the registry',
    (dir) => symlink('models', join(dir, 'models')),
    () => ['list'],
    /^SYSTEM_FAILED: ELOOP .*models.*circle/,
  ],
  [
    'a file in the place of a folder to write to',
    (dir) => writeFile(join(dir, 'file'), ''),
    (dir) => [...SMALL_DATA, join(dir, 'file/raw')],
    /^SYSTEM_FAILED: (EEXIST|ENOTDIR) .*file/,
  ],
  [
    'a name that is too long',
    async () => undefined,
    (dir) => [...SMALL_DATA, join(dir, 'x'.repeat(300))],
    /^SYSTEM_FAILED: ENAMETOOLONG .*xx.*\. The path is too long/,
  ],
];

for (const [what, make, argv, wanted] of PLACES) {
  t.test(`${what}: a coded error with the path and what to do`, async (t) => {
    const dir = t.testdir({});
    await make(dir);
    const run = createCommandRunner({ env: { SHORTLIST_REGISTRY: join(dir, 'models') } });
    const { code, errors } = await run(...argv(dir));
    expectSystemFailure(t, { code, errors }, wanted);
  });
}

async function findClosedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

/** Real errors of the system, each by the call that gives it. */
const CALLS: readonly [string, (dir: string) => Promise<unknown>][] = [
  ['ENOENT', (dir) => readFile(join(dir, 'nothing'))],
  ['EISDIR', (dir) => readFile(dir)],
  ['ENOTDIR', (dir) => readFile(join(dir, 'full/file/x'))],
  ['EEXIST', (dir) => mkdir(join(dir, 'full'))],
  ['ENOTEMPTY', (dir) => rename(join(dir, 'empty'), join(dir, 'full'))],
  ['ENAMETOOLONG', (dir) => readFile(join(dir, 'x'.repeat(300)))],
  ['ECONNREFUSED', async () => fetch(await findClosedPort())],
];

for (const [code, call] of CALLS) {
  t.test(`${code}: says what was refused and what to do, from another thread too`, async (t) => {
    const dir = t.testdir({ full: { file: '' }, empty: {} });
    const error: unknown = await call(dir).catch((refusal: unknown) => refusal);
    for (const thrown of [
      error,
      new Error('what came of it', { cause: error }),
      unpackError(packError(error)),
    ]) {
      const failure = toSystemFailure(findSystemFault(thrown)!);
      t.match(failure, {
        code: 'SYSTEM_FAILED',
        message: new RegExp(`^${code} \\(.+\\): \\w+ ?.*\\. [A-Z].+\\.$`),
      });
    }
  });
}

t.test('too many open files are named with the limit to raise', async (t) => {
  const module = new URL('../../src/domain/system-failure.js', import.meta.url).href;
  const script = `
    const { openSync } = await import('node:fs');
    const { findSystemFault, toSystemFailure } = await import(${JSON.stringify(module)});
    try { for (;;) openSync('/dev/null'); } catch (error) { console.log(toSystemFailure(findSystemFault(error)).message); }`;
  const node = `"${process.execPath}" --input-type=module --eval '${script.replaceAll("'", `'\\''`)}'`;
  const { stdout } = spawnSync('sh', ['-c', `ulimit -n 60; exec ${node}`], { encoding: 'utf8' });
  t.match(stdout, /^EMFILE \(too many open files\): open \/dev\/null\. .*`ulimit -n`/);
});

t.test('DuckDB out of memory is no stack', async (t) => {
  const { connection, close } = await openDatabase();
  t.teardown(close);
  await connection.run("SET memory_limit = '10MB'; SET temp_directory = ''");
  const query = connection.run('CREATE TABLE t AS SELECT x, random() AS y FROM range(10000000) AS r(x)');
  const fault = findSystemFault(await query.catch((error: unknown) => error));
  t.match(toSystemFailure(fault!), {
    code: 'SYSTEM_FAILED',
    message: /^ENOMEM .*Out of Memory Error.*give the process more/s,
  });
});

t.test('whoever stops reading the output ends a command as a broken pipe does, without a word', async (t) => {
  const child = spawn(process.execPath, [PROGRAM, 'config', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number];
  t.strictSame([code, errors], [141, '']);
});

t.test('output that cannot be written is an error, not a success', async (t) => {
  const { status, stderr } = runInShell('shortlist config > /dev/full');
  expectSystemFailure(t, { code: status, errors: stderr }, /^SYSTEM_FAILED: ENOSPC .*standard output/);
});

t.test('errors that cannot be written change no exit code', async (t) => {
  t.equal(runInShell('shortlist nothing 2> /dev/full').status, 2);
  t.equal(runInShell('shortlist list 2> /dev/full', { SHORTLIST_REGISTRY: '/dev/null' }).status, 1);
});

t.test('negative control: an error of our own keeps the stack that a bug report needs', async (t) => {
  const errors: string[] = [];
  const code = await runCommandLine(['list'], {
    env: {},
    configsDir: 'configs',
    codeVersion: '0',
    commandLine: 'shortlist list',
    now: () => {
      throw new TypeError('a mistake');
    },
    openProgress: () => Promise.reject(new TypeError('a mistake')),
    print: () => {
      throw new TypeError('a mistake');
    },
    printError: (line) => errors.push(line),
  });
  t.equal(code, 1);
  t.match(errors.join('\n'), /^TypeError: a mistake\n +at /);
  t.equal(findSystemFault(new TypeError('x')), undefined);
  t.equal(findSystemFault(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' })), undefined);
  t.equal(findSystemFault(new ShortlistError('INVALID_CONFIG', 'x')), undefined);
  t.equal(findSystemFault('ENOSPC'), undefined);
});
