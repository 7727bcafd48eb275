import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { startServingProcess } from '../support/serving-process.js';
import { publishSmall } from '../serving/overriding/overridden-server.js';
import { findFreePort } from '../support/free-port.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);
const registry = await publishSmall(t.testdir({}));

/** A group of two server processes with computing threads, that keep answers, over a file of overrides. */
async function startGroup(t: Test, content?: string) {
  const file = join(makeLastingFolder(t), 'data', 'overrides.yaml');
  mkdirSync(dirname(file));
  if (content !== undefined) writeFileSync(file, content);
  const adminPort = await findFreePort();
  const server = await startServingProcess(t, registry, {
    args: ['--processes', '2', '--workers', '1'],
    changes: {
      compute: { deadlineMs: 60_000 },
      bundle: { trialSilenceMs: 0 },
      features: { online: false },
      cache: { enabled: true },
      supervisor: { processes: 0, restartDelayMs: 1 },
    },
    env: { ADMIN_PORT: String(adminPort), SHORTLIST_OVERRIDES_FILE: file },
  });
  const admin = `http://127.0.0.1:${adminPort}`;
  return {
    file,
    server,
    /** Without keep-alive each request is of another connection, which the next process takes. */
    ask: async () => {
      const answer = await fetch(`${await server.url}/recommendations/u1?limit=10`, {
        headers: { connection: 'close' },
      });
      return ((await answer.json()) as { items: { itemId: string }[] }).items.map(({ itemId }) => itemId);
    },
    put: async (document: object, ifMatch: string) => {
      const answer = await fetch(`${admin}/overrides`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'if-match': ifMatch },
        body: JSON.stringify(document),
      });
      return {
        status: answer.status,
        etag: answer.headers.get('etag'),
        body: (await answer.json()) as { detail: string; warnings: string[] },
      };
    },
    read: async () =>
      (await fetch(`${admin}/overrides`)).json() as Promise<{ version: string; problems: string[] }>,
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
  };
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await wait(20);
}

t.test(
  'a group: what its supervisor takes is in force in every process within pollMs, cached answers too',
  async (t) => {
    const { ask, put, read, server, metrics } = await startGroup(t);
    await server.url;
    const before = await ask();
    for (let at = 0; at < 8; at++) t.same(await ask(), before);
    const hidden = before[0]!;
    const answer = await put(
      { why: 'recall', overrides: [{ hide: { items: [hidden, 'soon'] }, why: 'sold out' }] },
      '"none"',
    );
    const putAt = performance.now();
    t.match(
      answer,
      { status: 200, body: { warnings: [/overrides\.0\.hide names soon/] } },
      'a process tells what its bundle has',
    );
    let last = putAt;
    for (let clean = 0; clean < 12 && performance.now() - putAt < 20_000; clean++) {
      if (!(await ask()).includes(hidden)) continue;
      clean = -1;
      last = performance.now();
    }
    t.ok(last - putAt <= 1000, `seen for ${Math.round(last - putAt)} ms after the answer`);
    t.comment(`seen for ${Math.round(last - putAt)} ms after the answer`);
    t.match(await put({ overrides: [] }, '"none"'), { status: 412 });
    t.match(await put({ overrides: [{ hide: { when: { filter: ['colour:red'] } } }] }, answer.etag!), {
      status: 400,
      body: { detail: /colour/ },
    });
    t.match(await read(), { problems: [] });
    t.match(
      server.log().filter(({ msg }) => msg === 'overrides replaced'),
      [{ process: 'supervisor', why: 'recall', before: 'none', entries: 1 }],
    );
    const shown = await metrics();
    for (const process of ['1', '2', 'supervisor'])
      t.match(shown, `shortlist_overrides{process="${process}"} 1`);
  },
);

t.test(
  'a process that is started anew while the file is wrong has what the others have, and the group goes on',
  async (t) => {
    const { ask, put, file, server, read } = await startGroup(t);
    await server.url;
    const [hidden] = await ask();
    await put({ overrides: [{ hide: { items: [hidden!] } }] }, '"none"');
    writeFileSync(file, 'overrides: [\n');
    await until(async () => (await read()).problems.length > 0);
    const started = () => server.log().filter(({ msg }) => msg === 'server process started');
    for (const { processId } of started()) {
      const count = started().length;
      process.kill(processId as number, 'SIGKILL');
      await until(() => started().length > count);
      const place = started().at(-1)!['place'];
      await until(
        () =>
          server
            .log()
            .filter(
              ({ msg, process: by }) => String(msg).startsWith('public listener') && by === String(place),
            ).length > 1,
      );
    }
    await wait(1000);
    for (let at = 0; at < 12; at++) t.notOk((await ask()).includes(hidden!));
  },
);

t.test('a group whose file is wrong at the start does not start, and says all that is wrong', async (t) => {
  const { server } = await startGroup(t, 'overrides: [{ hide: {} }, { pin: { item: 1, position: 1 } }]\n');
  t.match(await server.ended, { code: 1 });
  t.match(server.errors(), /overrides\.0\.hide names no items[^]*overrides\.1\.pin\.item is 1/);
});
