import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type FaultAnswer, askServer, publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { LONG } from '../support/long-tests.js';
import { type ServingProcess, startServingProcess } from '../support/serving-process.js';
import { findFreePort } from '../support/free-port.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);
const dir = t.testdir({});
const { folder, manifest } = await writeFaultyBundle(dir);
const registry = await publishBundle(dir, folder);
const QUICK = { restartDelayMs: 1, maxRestartDelayMs: 10, maxDeaths: 2, deathWindowMs: 600_000 };

/** Ids of the server processes that were started so far. */
function listProcesses({ log }: ServingProcess): number[] {
  return log()
    .filter(({ msg }) => msg === 'server process started')
    .map(({ processId }) => processId as number);
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await wait(20);
}

t.test(
  'a process of two that is killed at load is replaced, and its own requests alone are lost',
  async (t) => {
    const adminPort = await findFreePort();
    const server = await startServingProcess(t, registry, {
      args: ['--processes', '2', '--workers', '1'],
      changes: {
        compute: { deadlineMs: 60_000 },
        bundle: { trialSilenceMs: 0 },
        shutdown: { drainDelayMs: 300 },
        supervisor: { ...QUICK, processes: 0 },
      },
      env: { ADMIN_PORT: String(adminPort) },
    });
    const url = await server.url;
    const admin = `http://127.0.0.1:${adminPort}`;
    const before = await askServer(url, 'u1');
    t.match(before, { status: 200, bundle: manifest.version });
    const load = { done: false };
    const answers: FaultAnswer[] = [];
    let failed = 0;
    const clients = USERS.healthy.map(async (user) => {
      while (!load.done) {
        const answer = await askServer(url, user).catch(() => undefined);
        if (answer === undefined) failed++;
        else answers.push(answer);
      }
    });
    const [first] = listProcesses(server);
    process.kill(first!, 'SIGKILL');
    await until(() => server.log().some(({ msg }) => msg === 'a server process ended by itself'));
    const answered = answers.length;
    await until(() => answers.length > answered + 50);
    t.equal(listProcesses(server).length, 3, 'another one is started');
    await until(async () => /process="1"/.test(await (await fetch(`${admin}/metrics`)).text()));
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    t.match(metrics, /shortlist_bundle_info\{[^}]*process="2"[^}]*\} 1/);
    t.match(metrics, /shortlist_lost_processes_total\{process="supervisor"\} 1/);
    const reload = await fetch(`${admin}/bundle/reload`, { method: 'POST' });
    t.match(
      { status: reload.status, body: await reload.json() },
      { status: 200, body: { version: manifest.version } },
    );
    load.done = true;
    await Promise.all(clients);
    t.same([...new Set(answers.map(({ status }) => status))], [200]);
    t.ok(failed <= USERS.healthy.length, 'each client had one request under way at most');

    const written = new Set(server.log().map(({ process }) => process));
    t.same(written, new Set(['supervisor', '1', '2']), 'each line says which process wrote it');

    const ready = fetch(`${url}/ready`).then(({ status }) => status);
    t.equal(await ready, 200);
    server.child.kill('SIGTERM');
    await until(async () => (await fetch(`${url}/ready`)).status === 503);
    t.same((await askServer(url, 'u1')).items, before.items, 'it drains: who comes still is answered');
    t.same(await server.ended, { code: 0, signal: null });
    for (const id of listProcesses(server)) t.throws(() => process.kill(id, 0), { code: 'ESRCH' });
  },
);

t.test(
  'processes that end again and again end their supervisor, with a line that says so',
  LONG,
  async (t) => {
    const server = await startServingProcess(t, registry, {
      args: ['--processes', '1', '--workers', '1'],
      changes: { shutdown: { drainDelayMs: 0 }, supervisor: { ...QUICK, processes: 0 } },
    });
    await server.url;
    for (const started of [1, 2, 3]) {
      await until(() => listProcesses(server).length === started);
      process.kill(listProcesses(server).at(-1)!, 'SIGKILL');
    }
    t.same(await server.ended, { code: 1, signal: null });
    t.match(
      server.log().find(({ level }) => level === 'fatal'),
      { err: { code: 'PROCESS_FAILED', message: /3 server processes ended within 600000 ms/ } },
    );
  },
);

t.test('a bundle that cannot be opened ends the supervisor at once', LONG, async (t) => {
  const server = await startServingProcess(t, t.testdir({}), { args: ['--processes', '1'] });
  t.same(await server.ended, { code: 1, signal: null });
  t.match(server.errors(), /BUNDLE_NOT_FOUND/);
});

t.test(
  'a model that hangs ends its process after a drain, and another one takes its place',
  LONG,
  async (t) => {
    const server = await startServingProcess(t, registry, {
      args: ['--processes', '1', '--workers', '1'],
      changes: {
        compute: { hangMs: 2000, deadlineMs: 1500 },
        shutdown: { drainDelayMs: 500, timeoutMs: 10_000 },
        supervisor: { ...QUICK, processes: 0 },
      },
      env: { PORT: String(await findFreePort()) },
    });
    const url = await server.url;
    t.match(await askServer(url, USERS.hanging), { status: 200, bundle: manifest.version });
    await until(() => listProcesses(server).length === 2);
    await until(async () => (await askServer(url, 'u1').catch(() => undefined))?.degraded.length === 0);
    t.match(
      server.log().find(({ msg }) => msg === 'a server process ended by itself'),
      { place: 1, how: 'SIGKILL' },
    );
    server.child.kill('SIGTERM');
    t.same(await server.ended, { code: 0, signal: null });
  },
);

/** What becomes of a group of two while one user, whose request hangs the model, asks again and again. */
async function askForTrouble(t: Test, quarantineSeconds: number) {
  const server = await startServingProcess(t, registry, {
    args: ['--processes', '2', '--workers', '1'],
    changes: {
      compute: { hangMs: 4000, deadlineMs: 1500, quarantineSeconds },
      shutdown: { drainDelayMs: 0, timeoutMs: 10_000 },
      supervisor: { ...QUICK, maxDeaths: 100, processes: 0 },
    },
    env: { PORT: String(await findFreePort()) },
  });
  const url = await server.url;
  const countLost = (): number =>
    server.log().filter(({ msg }) => msg === 'a server process ended by itself').length;
  const first = await askServer(url, USERS.hanging);
  const asking = { done: false };
  const reasons = new Set<string>();
  const client = (async () => {
    while (!asking.done) {
      const answer = await askServer(url, USERS.hanging).catch(() => undefined);
      for (const { reason } of answer?.degraded ?? []) reasons.add(reason);
    }
  })();
  return { server, url, first, reasons, countLost, stop: () => ((asking.done = true), client) };
}

t.test('a user whose request hangs the model takes one process with it, and no other', async (t) => {
  const { server, url, first, reasons, countLost, stop } = await askForTrouble(t, 600);
  t.match(first, { status: 200, degraded: [{ reason: 'deadline_exceeded' }] });
  await until(() => reasons.has('request_quarantined') && countLost() > 0);
  await until(() => listProcesses(server).length === 3);
  await until(async () => (await askServer(url, 'u1').catch(() => undefined))?.degraded.length === 0);
  const before = await Promise.all(Array.from({ length: 40 }, () => askServer(url, USERS.hanging)));
  t.ok(
    before.every(({ status, items, degraded: [stage] }) => {
      return status === 200 && items.length > 0 && stage?.reason === 'request_quarantined';
    }),
    'it has the fallback, from the old process and from the new one',
  );
  await stop();
  t.equal(countLost(), 1);
});

t.test('negative control: without quarantine the same user ends every process', LONG, async (t) => {
  const { reasons, countLost, stop } = await askForTrouble(t, 0);
  await until(() => countLost() > 2);
  t.notOk(reasons.has('request_quarantined'));
  await stop();
});

t.test('a process that is stopped holds up nothing, and is killed and replaced', async (t) => {
  const adminPort = await findFreePort();
  const server = await startServingProcess(t, registry, {
    args: ['--processes', '2', '--workers', '1'],
    changes: {
      compute: { deadlineMs: 60_000 },
      bundle: { trialSilenceMs: 0, watchSeconds: 0 },
      shutdown: { drainDelayMs: 0 },
      supervisor: { ...QUICK, processes: 0, silenceMs: 4000, answerMs: 500 },
    },
    env: { ADMIN_PORT: String(adminPort) },
  });
  await server.url;
  const admin = `http://127.0.0.1:${adminPort}`;
  const [stopped] = listProcesses(server);
  process.kill(stopped!, 'SIGSTOP');
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  t.match(metrics, /process="supervisor"/, 'whoever answers is shown');
  const reload = await fetch(`${admin}/bundle/reload`, { method: 'POST' });
  t.match(
    { status: reload.status, body: await reload.json() },
    { status: 200, body: { version: manifest.version } },
  );
  await until(() => server.log().some(({ wasSilent }) => wasSilent === true));
  await until(() => listProcesses(server).length === 3);
  t.throws(() => process.kill(stopped!, 0), { code: 'ESRCH' });
  t.match(
    await (await fetch(`${admin}/metrics`)).text(),
    /shortlist_silent_processes_total\{process="supervisor"\} 1/,
  );
  const [other] = listProcesses(server).slice(1);
  process.kill(other!, 'SIGSTOP');
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 1 }, 'one that is stopped in a drain is killed too');
  for (const id of listProcesses(server)) t.throws(() => process.kill(id, 0), { code: 'ESRCH' });
});
