import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolderStore } from '../../src/bundle/folder-store.js';
import { identifyThisProcess, isAlive } from '../../src/bundle/process-identity.js';
import { createS3Store } from '../../src/bundle/s3-store.js';
import { type LockStore, withLock } from '../../src/bundle/with-lock.js';
import { CANNOT_SUSPEND, waitForStop } from '../support/stopped-process.js';
import { startS3 } from './start-s3.js';

const purpose = 'a test';
const openFolder = (root: string): LockStore => createFolderStore(root, () => new Date());

/** A process that holds the lock of a folder, and says so, until it is told to end. */
async function startHolder(t: Test, root: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/hold-lock.js'), root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

const STORES: Readonly<Record<string, (t: Test) => Promise<LockStore>>> = {
  'a folder': async (t) => openFolder(join(t.testdir(), 'new')),
  'a bucket': async (t) => {
    const folder = t.testdir();
    const { endpoint } = await startS3(t, { bucket: 'bundles', folder: join(folder, 's3') });
    return createS3Store({ address: 's3://bundles/shop', endpoint, cacheDir: join(folder, 'cache') });
  },
};

for (const [kind, open] of Object.entries(STORES)) {
  t.test(`${kind}: of several that count, none counts what another has counted`, async (t) => {
    const store = await open(t);
    const count = (): Promise<void> =>
      withLock(store, { purpose }, async ({ confirm }) => {
        const before = Number((await store.findText('count')) ?? 0);
        await confirm();
        await store.replaceText('count', String(before + 1));
      });
    await Promise.all(Array.from({ length: 6 }, count));
    t.equal(await store.findText('count'), '6');
    t.same(await store.listTexts('.locks'), [], 'nothing is left');
  });

  t.test(`${kind}: a claim of another machine counts for as long as it shows signs of life`, async (t) => {
    const store = await open(t);
    const claim = (beat: number): string =>
      `${JSON.stringify({ ...identifyThisProcess(), place: 'elsewhere', purpose, since: 'then', beat })}\n`;
    await store.replaceText('.locks/other.json', claim(1));
    let beat = 1;
    // The S3 server of the tests fails a read of what is being written; it is asked again.
    const renew = () => store.renewText('.locks/other.json', claim(++beat % 10)).catch(() => false);
    const beating = setInterval(() => void renew(), 200);
    await t.rejects(
      withLock(store, { purpose, waitMs: 3000, leaseMs: 2000 }, async () => undefined),
      { code: 'LOCKED', message: /in use by `a test`, process \d+ on .*, since then/ },
    );
    clearInterval(beating);
    t.equal(await withLock(store, { purpose, leaseMs: 300 }, async () => 'taken over'), 'taken over');
  });

  t.test(`${kind}: a holder whose lock was taken over does nothing any more`, async (t) => {
    const store = await open(t);
    const acting = withLock(store, { purpose }, async ({ confirm }) => {
      for (const name of await store.listTexts('.locks')) await store.removeText(`.locks/${name}`);
      await confirm();
    });
    await t.rejects(acting, { code: 'CONFLICT', message: /took the lock .* over/ });
    t.same(await store.listTexts('.locks'), [], 'and does not bring its claim back');
  });

  t.test(`${kind}: work that fails lets go of the lock`, async (t) => {
    const store = await open(t);
    const fail = async (): Promise<never> => Promise.reject(new RangeError('no'));
    await t.rejects(withLock(store, { purpose }, fail), new RangeError('no'));
    t.equal(await withLock(store, { purpose, waitMs: 0 }, async () => 1), 1);
  });
}

t.test(
  'a process that is suspended keeps its lock; one that is killed has none',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    const root = join(t.testdir(), 'log');
    const holder = await startHolder(t, root);
    holder.kill('SIGSTOP');
    await waitForStop(holder);
    // However old its claim: its process lives.
    const [name] = await readdir(join(root, '.locks'));
    await utimes(join(root, '.locks', name!), 0, 0);
    const take = () => withLock(openFolder(root), { purpose, waitMs: 300, leaseMs: 10 }, async () => 'taken');
    await t.rejects(take(), { code: 'LOCKED', message: new RegExp(`process ${holder.pid} on`) });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    t.equal(await take(), 'taken');
  },
);

t.test('a claim that cannot be read is waited for, then removed', async (t) => {
  const root = t.testdir();
  await mkdir(join(root, '.locks'));
  await writeFile(join(root, '.locks', 'torn.json'), '{"pi');
  await t.rejects(
    withLock(openFolder(root), { purpose, waitMs: 0 }, async () => undefined),
    { code: 'LOCKED', message: /a process that cannot be told/ },
  );
  t.equal(await withLock(openFolder(root), { purpose, leaseMs: 50 }, async () => 1), 1);
});

t.test('whether a process lives is told by its start too', async (t) => {
  const here = identifyThisProcess();
  t.equal(isAlive(here), true);
  t.equal(isAlive({ ...here, started: here.started === '' ? '' : '1' }), here.started === '');
  t.equal(isAlive({ ...here, place: 'another machine' }), undefined);
  const child = spawn(process.execPath, ['--version']);
  await once(child, 'exit');
  t.equal(isAlive({ ...here, pid: child.pid!, started: '' }), false);
});

t.test('the lines of a log are whole after a writer was killed in one', async (t) => {
  const root = t.testdir({ 'audit.jsonl': '{"action":"publish"}\n{"acti' });
  const store = createFolderStore(root, () => new Date());
  await store.appendLine('audit', '{"action":"gc"}');
  t.same(await store.readLines('audit'), ['{"action":"publish"}', '{"acti', '{"action":"gc"}']);
  t.match(await readFile(join(root, 'audit.jsonl'), 'utf8'), /\n$/);
});
