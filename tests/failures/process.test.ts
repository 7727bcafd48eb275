import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { askServer, publishBundle } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { LONG } from '../support/long-tests.js';
import { startServingProcess } from '../support/serving-process.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);
const dir = t.testdir({});
const { folder, manifest } = await writeFaultyBundle(dir);
const registry = await publishBundle(dir, folder);
const LATE = [{ stage: 'pipeline', reason: 'deadline_exceeded' }];

/** Resolves when `/ready` has this status. */
async function seen(url: string, status: number): Promise<void> {
  while ((await fetch(`${url}/ready`)).status !== status) await wait(10);
}

t.test(
  'a thread that hangs costs its own requests time, the others nothing, and in the end the process',
  async (t) => {
    const server = await startServingProcess(t, registry, {
      args: ['--workers', '2'],
      changes: {
        compute: { hangMs: 2000, deadlineMs: 1500 },
        shutdown: { drainDelayMs: 1500, timeoutMs: 10_000 },
      },
    });
    const url = await server.url;
    t.match(await askServer(url, USERS.hanging), { status: 200, degraded: LATE, code: undefined });
    const before = await askServer(url, 'u1');
    t.match(before, { status: 200, degraded: [] }, 'the other thread answers');
    await seen(url, 503);
    t.same(await askServer(url, 'u1'), before, 'it drains: who comes still is answered');
    const { code, signal } = await server.ended;
    t.not(code, 0);
    t.not(code, 134);
    t.equal(
      signal,
      'SIGKILL',
      'Node could not have ended it: it would have waited for the thread, and aborted',
    );
    t.match(
      server.log().find(({ level }) => level === 'fatal'),
      { err: { code: 'COMPUTE_FAILED', message: /has not answered for 2000 ms; it hangs/ } },
    );
  },
);

t.test('a process whose log nobody reads answers, and ends when it is asked to', async (t) => {
  const server = await startServingProcess(t, registry, {
    args: ['--workers', '1'],
    changes: { compute: { deadlineMs: 60_000 }, shutdown: { drainDelayMs: 0, timeoutMs: 300_000 } },
  });
  const url = await server.url;
  const exited = once(server.child, 'exit');
  server.child.stdout!.pause();
  const statuses = new Set<number>();
  // A line of 300 bytes each: four times what the system and Node keep for a reader.
  for (let round = 0; round < 80; round++) {
    const answers = Array.from({ length: 50 }, () => fetch(`${url}/items/i1/similar?limit=1`));
    for (const answer of await Promise.all(answers)) {
      statuses.add(answer.status);
      await answer.arrayBuffer();
    }
  }
  server.child.kill('SIGTERM');
  t.same(await exited, [0, null]);
  t.equal(statuses.size, 1);
});

t.test('a second signal ends the process at once, though a thread hangs in the model', LONG, async (t) => {
  const server = await startServingProcess(t, registry, {
    args: ['--workers', '1'],
    changes: { compute: { hangMs: 600_000, deadlineMs: 500 }, shutdown: { drainDelayMs: 60_000 } },
  });
  const url = await server.url;
  t.match(await askServer(url, USERS.hanging), { status: 200, degraded: LATE });
  server.child.kill('SIGTERM');
  await seen(url, 503);
  server.child.kill('SIGTERM');
  t.same(await server.ended, { code: null, signal: 'SIGKILL' });
  t.ok(server.log().some(({ msg }) => msg === 'second SIGTERM, exiting'));
});

t.test('a second signal at load ends the process with 1 once its threads are done', LONG, async (t) => {
  const server = await startServingProcess(t, registry, {
    args: ['--workers', '2'],
    changes: { shutdown: { drainDelayMs: 60_000 } },
  });
  const url = await server.url;
  const load = { done: false };
  const clients = USERS.healthy.map(async (user) => {
    while (!load.done) await askServer(url, user).catch(() => (load.done = true));
  });
  await wait(200);
  server.child.kill('SIGTERM');
  await seen(url, 503);
  server.child.kill('SIGTERM');
  t.same(await server.ended, { code: 1, signal: null });
  await Promise.all(clients);
});

t.test('a process that is killed at load serves the same again when it is started anew', LONG, async (t) => {
  const start = () => startServingProcess(t, registry, { changes: { compute: { deadlineMs: 60_000 } } });
  const first = await start();
  const url = await first.url;
  const before = await askServer(url, 'u3');
  t.match(before, { status: 200, degraded: [], bundle: manifest.version });
  const clients = USERS.healthy.map(async (user) => {
    for (;;) await askServer(url, user);
  });
  const lost = Promise.allSettled(clients);
  await wait(100);
  first.child.kill('SIGKILL');
  t.same(await first.ended, { code: null, signal: 'SIGKILL' });
  await lost;
  const second = await start();
  t.same(await askServer(await second.url, 'u3'), before);
  second.child.kill('SIGTERM');
  t.same(await second.ended, { code: 0, signal: null });
});

t.test(
  'a bundle without one of its feature files does not start, and the line names the file',
  LONG,
  async (t) => {
    const lacking = t.testdir({});
    const { folder } = await writeFaultyBundle(lacking);
    const broken = await publishBundle(lacking, folder);
    await rm(join(broken, manifest.version, 'features/users.parquet'));
    const server = await startServingProcess(t, broken);
    const { code } = await server.ended;
    t.equal(code, 1);
    t.match(server.errors(), /INVALID_BUNDLE: .*\n\s+- .*features\/users\.parquet/);
  },
);
