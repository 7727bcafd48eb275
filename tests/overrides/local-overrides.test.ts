import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createFolderStore } from '../../src/bundle/folder-store.js';
import { withLock } from '../../src/bundle/with-lock.js';
import { openLocalOverrides } from '../../src/overrides/local-overrides.js';
import { readOverrides } from '../../src/overrides/parse-overrides.js';
import {
  hiding,
  type OpenOverrides,
  type OverridesPlace,
  POLL_MS,
  SCENARIOS,
  testOverrideStore,
  until,
} from './override-store-contract.js';

function createPlace(t: Test): OverridesPlace & { file: string; folder: string } {
  const folder = join(t.testdir({}), 'data');
  const file = join(folder, 'overrides.yaml');
  const open: OpenOverrides = async ({ changed, met } = {}, { isStrict = true } = {}) => {
    const observer = { changed: changed ?? (() => undefined), met: met ?? (() => undefined) };
    const store = openLocalOverrides({ file, pollMs: POLL_MS, scenarios: SCENARIOS, isStrict, observer });
    t.teardown(() => store.close());
    return store;
  };
  return {
    folder,
    file,
    open,
    write: async (text) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    },
    remove: async () => rmSync(file),
  };
}

testOverrideStore(t, 'local', async (t) => createPlace(t));

t.test('what is put is YAML for people, who may change it', async (t) => {
  const { open, file } = createPlace(t);
  const store = await open();
  await store.replace(
    { why: 'spring', overrides: [{ hide: { items: ['318'] }, why: 'sold out' }] },
    { ifMatch: '*' },
  );
  const text = readFileSync(file, 'utf8');
  t.equal(text, 'why: spring\noverrides:\n  - hide:\n      items:\n        - "318"\n    why: sold out\n');
  writeFileSync(file, text.replace('318', '50'));
  await until(() => store.current().document.overrides[0]?.hide?.items?.[0] === '50');
  t.equal(store.current().document.overrides[0]?.hide?.items?.[0], '50');
});

t.test('an editor that empties, removes or half-writes the file for a moment changes nothing', async (t) => {
  const { open, file } = createPlace(t);
  const seen: string[] = [];
  const store = await open({
    changed: ({ document }) => void seen.push(document.overrides.map(({ hide }) => hide!.items).join()),
    met: (problems) => void seen.push(problems.join()),
  });
  await store.replace(hiding('a'), { ifMatch: '*' });
  seen.length = 0;
  const text = 'overrides:\n  - hide: { items: [a] }\n  - hide: { items: [b] }\n';
  for (let at = 0; at < 20; at++) {
    const half = ['', text.slice(0, text.indexOf('\n', 12) + 1), text.slice(0, 20)][at % 3]!;
    writeFileSync(file, half);
    await wait(at % 10);
    if (at % 4 === 3) rmSync(file);
    await wait(at % 7);
    writeFileSync(file, text);
    await wait(2 * POLL_MS);
  }
  t.same(seen, ['a,b'], 'only the whole document was ever in force');
});

t.test('a folder that is read-only refuses a put, and says which; what is in force stays', async (t) => {
  const { open, folder, file } = createPlace(t);
  const store = await open();
  const { after } = await store.replace(hiding('a'), { ifMatch: '*' });
  chmodSync(folder, 0o555);
  await asNobody(() =>
    t.rejects(store.replace(hiding('b'), { ifMatch: [after.version] }), {
      code: 'OVERRIDES_UNAVAILABLE',
      message: /overrides\.yaml cannot be written \(EACCES\)/,
    }),
  );
  t.match(readFileSync(file, 'utf8'), /- a\n/);
  chmodSync(folder, 0o755);
  t.same(store.current().document, hiding('a'));
});

t.test('a file that may not be read is told of, and keeps a server from starting', async (t) => {
  const { open, file } = createPlace(t);
  const store = await open();
  await store.replace(hiding('a'), { ifMatch: '*' });
  rmSync(file);
  mkdirSync(file);
  await until(() => store.problems().length > 0);
  t.match(store.problems(), [/overrides\.yaml: cannot be read \(EISDIR\)/]);
  t.same(store.current().document, hiding('a'));
  await t.rejects(open(), { code: 'INVALID_CONFIG', message: /EISDIR/ });
});

t.test(
  'a put waits for one that another process is at, and gives up in time, saying whose it is',
  async (t) => {
    const { open, folder } = createPlace(t);
    const store = await open();
    await store.replace(hiding('a'), { ifMatch: '*' });
    const held = { purpose: 'a slow disk', name: 'overrides.yaml' };
    let letGo: (() => void) | undefined;
    const holding = withLock(
      createFolderStore(folder, () => new Date()),
      held,
      () => new Promise<void>((resolve) => (letGo = resolve)),
    );
    await until(() => letGo !== undefined);
    await t.rejects(store.replace(hiding('b'), { ifMatch: '*' }), {
      code: 'OVERRIDES_UNAVAILABLE',
      message: /stay in force: .*in use by `a slow disk`/,
    });
    const waiting = store.replace(hiding('b'), { ifMatch: '*' });
    letGo!();
    await holding;
    t.same((await waiting).after.document, hiding('b'));
  },
);

t.test('a put that is killed in the middle leaves a whole document, and nobody waits for it', async (t) => {
  const { open, file, folder } = createPlace(t);
  mkdirSync(folder);
  for (let round = 0; round < 6; round++) {
    const child = fork(new URL('put-for-ever.js', import.meta.url), [file], { execArgv: [] });
    await hear(child);
    await wait(10 + 13 * round);
    child.kill('SIGKILL');
    const read = readOverrides(readFileSync(file), file, { scenarios: SCENARIOS });
    t.same(read.problems, undefined);
  }
  const store = await open();
  const beganAt = performance.now();
  await store.replace(hiding('b'), { ifMatch: '*' });
  t.ok(performance.now() - beganAt < 2000, 'the lock of a dead process is none');
  t.same(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
    'and what it left is gone',
  );
});

function hear(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('message', resolve));
}

/** No folder is read-only to root, whom tests may be run by. */
async function asNobody(run: () => Promise<unknown>): Promise<void> {
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    await run();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}
