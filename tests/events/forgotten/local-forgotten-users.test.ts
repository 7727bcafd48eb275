import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { digestOfUser, isForgotten, isLeftOut } from '../../../src/domain/forgetting.js';
import { formatLine, parseLine } from '../../../src/events/forgotten/list-line.js';
import {
  FORGOTTEN_FILE,
  openLocalForgottenUsers,
} from '../../../src/events/forgotten/local-forgotten-users.js';
import { type OpenForgottenUsers, testForgottenUsers } from './forgotten-users-contract.js';

testForgottenUsers(t, 'local', async (t) => openerOf(join(t.testdir(), 'data', 'forgotten')));

function openerOf(folder: string): OpenForgottenUsers {
  return async (observer = {}) =>
    openLocalForgottenUsers({
      folder,
      clock: () => Date.now() / 1000,
      observer: { sized: ignore, changed: ignore, ...observer },
    });
}

function ignore(): void {}

function setUp(t: Test) {
  const folder = join(t.testdir(), 'forgotten');
  const problems: (string | undefined)[] = [];
  return {
    folder,
    path: join(folder, FORGOTTEN_FILE),
    problems,
    open: openerOf(folder),
    watch: () => openerOf(folder)({ changed: (problem) => problems.push(problem) }),
  };
}

t.test('no folder is made, and nothing of an id is written down', async (t) => {
  const { folder, path, open } = setUp(t);
  const users = await open();
  t.equal(users.find('somebody'), undefined);
  t.notOk(existsSync(folder), 'looking makes nothing');
  await users.add('somebody');
  t.same(readdirSync(folder), [FORGOTTEN_FILE]);
  t.notMatch(readFileSync(path, 'utf8'), 'somebody');
  t.match(readFileSync(path, 'utf8'), digestOfUser('somebody'));
});

t.test('another process of the machine has seen a user at its next look, 200 of 200', async (t) => {
  const { folder, open } = setUp(t);
  const program = `
    import { createInterface } from 'node:readline';
    import { openLocalForgottenUsers } from ${JSON.stringify(new URL('../../../src/events/forgotten/local-forgotten-users.js', import.meta.url).href)};
    const users = openLocalForgottenUsers({ folder: ${JSON.stringify(folder)}, clock: () => Date.now() / 1000, observer: { sized() {}, changed() {} } });
    for await (const line of createInterface({ input: process.stdin })) {
      const [what, id] = JSON.parse(line);
      console.log(JSON.stringify(what === 'add' ? await users.add(id) : users.find(id) ?? null));
    }`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => other.kill('SIGKILL'));
  const answers = createInterface({ input: other.stdout })[Symbol.asyncIterator]();
  const ask = async (what: string, id: string) => {
    other.stdin.write(`${JSON.stringify([what, id])}\n`);
    return JSON.parse((await answers.next()).value as string) as number | null;
  };
  const users = await open();
  let seen = 0;
  for (let index = 0; index < 100; index++) {
    const mine = `mine ${index}`;
    t.equal(await ask('find', mine), null);
    const at = await users.add(mine);
    if ((await ask('find', mine)) === at) seen++;
    const theirs = `theirs ${index}`;
    t.equal(users.find(theirs), undefined);
    const added = await ask('add', theirs);
    if (users.find(theirs) === added) seen++;
  }
  t.equal(seen, 200);
  other.stdin.end();
  await once(other, 'exit');
});

t.test('a list that is gone is told of once, still counts, and takes nobody in', async (t) => {
  const { folder, path, problems, open, watch } = setUp(t);
  const users = await watch();
  const at = await users.add('u1');
  renameSync(folder, `${folder}.away`);
  for (let time = 0; time < 3; time++) t.equal(users.find('u1'), at);
  t.same(problems.length, 1);
  t.match(problems[0], `${path} is gone: bring back the list as it was`);
  await t.rejects(users.add('u2'), { code: 'FORGETTING_FAILED', message: /is gone/ });
  t.notOk(existsSync(folder), 'it is not begun anew');
  renameSync(`${folder}.away`, folder);
  t.equal(users.find('u1'), at);
  t.same(problems.slice(1), [undefined], 'and that it is back');
  await users.add('u2');
  t.equal((await open()).size(), 2);
});

t.test('a list that lost users, as one of a backup, is told of, and they still count here', async (t) => {
  const { path, problems, watch } = setUp(t);
  const users = await watch();
  await users.add('u1');
  const backup = readFileSync(path);
  const at = await users.add('u2');
  rmSync(path);
  writeFileSync(path, backup);
  t.equal(users.find('u2'), at);
  t.match(problems, [/lacks 1 of the users who were in it/]);
  await t.rejects(users.add('u3'), { code: 'FORGETTING_FAILED', message: /lacks 1 of the users/ });
  t.equal(users.find('u2'), at);
  t.equal(problems.length, 1, 'once');
});

t.test('a list that was begun anew at the same place is read from its start', async (t) => {
  const { path, watch, problems } = setUp(t);
  const users = await watch();
  await users.add('u1');
  const whole = readFileSync(path, 'utf8');
  rmSync(path);
  const others = ['u2', 'u3'].map((id) => `${formatLine({ digest: digestOfUser(id), at: Date.now() })}\n`);
  writeFileSync(path, others.join('') + whole);
  t.ok(users.find('u2') && users.find('u3'));
  t.ok(users.find('u1'));
  t.same(problems, []);
});

t.test('a damaged line is told of by its number, and the others count', async (t) => {
  const { path, open, watch, problems } = setUp(t);
  const users = await open();
  for (const id of ['u1', 'u2', 'u3']) await users.add(id);
  const lines = readFileSync(path, 'utf8').split('\n');
  const damaged = lines.findIndex((line) => line.includes(digestOfUser('u2')));
  const digit = lines[damaged]![40] === '0' ? '1' : '0';
  lines[damaged] = `${lines[damaged]!.slice(0, 40)}${digit}${lines[damaged]!.slice(41)}`;
  writeFileSync(path, lines.join('\n'));
  const read = await watch();
  t.match(problems, [new RegExp(`line ${damaged + 1} is no entry: bring back a whole copy`)]);
  t.ok(read.find('u1') && read.find('u3'));
  t.equal(read.find('u2'), undefined);
  t.ok(await read.add('u2'), 'and it goes on');
  t.ok((await open()).find('u2'));
});

t.test('one bit more or less makes no line another entry', (t) => {
  const line = formatLine({ digest: digestOfUser('u1'), at: 1_700_000_000_123 });
  t.same(parseLine(line), { digest: digestOfUser('u1'), at: 1_700_000_000_123 });
  const bytes = Buffer.from(line);
  const taken = Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    return parseLine(flipped.toString('latin1'));
  }).filter((entry) => entry !== undefined);
  t.same(taken, []);
  t.equal(parseLine(line.slice(0, -1)), undefined);
  t.end();
});

t.test('what a full disk cut off is ended by the next entry, which counts', async (t) => {
  const { path, open, watch, problems } = setUp(t);
  const users = await open();
  await users.add('u1');
  appendFileSync(path, formatLine({ digest: digestOfUser('u2'), at: Date.now() }).slice(0, 50));
  t.equal(users.find('u2'), undefined);
  await users.add('u3');
  const read = await watch();
  t.ok(read.find('u1') && read.find('u3'));
  t.equal(read.size(), 2);
  t.match(problems, [/line \d is no entry/]);
});

t.test('a line that is being written counts once it is whole', async (t) => {
  const { path, open, watch, problems } = setUp(t);
  await (await open()).add('u1');
  const users = await watch();
  const line = `${formatLine({ digest: digestOfUser('u2'), at: Date.now() })}\n`;
  appendFileSync(path, line.slice(0, 30));
  t.equal(users.find('u2'), undefined);
  appendFileSync(path, line.slice(30));
  t.ok(users.find('u2'));
  t.same(problems, []);
});

t.test('times that go back do not: each entry is later than the one before it', async (t) => {
  const { folder } = setUp(t);
  const clock = { now: 2_000_000 };
  const users = openLocalForgottenUsers({
    folder,
    clock: () => clock.now / 1000,
    observer: { sized: ignore, changed: ignore },
  });
  t.equal(await users.add('u1'), 2000);
  clock.now = 1_000_000;
  t.equal(await users.add('u2'), 2000.001);
  t.equal(users.latest(), 2000.001);
});

t.test(
  'a folder that may not be written to, or is none, is a reason',
  { skip: process.getuid!() === 0 && 'root may write everywhere' },
  async (t) => {
    const { folder, open } = setUp(t);
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const users = await open();
    await t.rejects(users.add('u1'), {
      code: 'FORGETTING_FAILED',
      message: /cannot be written to \(EACCES\)/,
    });
  },
);

t.test('a file in the place of the folder is a reason', async (t) => {
  const { folder, open } = setUp(t);
  writeFileSync(folder, '');
  const users = await open();
  t.equal(users.find('u1'), undefined);
  await t.rejects(users.add('u1'), { code: 'FORGETTING_FAILED', message: /cannot be written to \(EEXIST\)/ });
});

t.test('what a user did until a minute after asking is left out', (t) => {
  t.ok(isForgotten(999, 1000));
  t.ok(isForgotten(1060, 1000));
  t.notOk(isForgotten(1060.1, 1000));
  const forgotten = { find: (id: string) => (id === 'u1' ? 1000 : undefined) };
  t.ok(isLeftOut({ userId: 'u1', time: 5 }, forgotten));
  t.notOk(isLeftOut({ userId: 'u1', time: 2000 }, forgotten));
  t.notOk(isLeftOut({ userId: 'u2', time: 5 }, forgotten));
  t.notOk(isLeftOut({ time: 5 }, forgotten));
  t.end();
});
