import { getPriority } from 'node:os';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { FeatureLoad } from '../../../src/features/feature-observer.js';
import { openEngine } from '../../../src/engine/open-engine.js';
import { packContents } from '../../../src/engine/read-bundle.js';
import { type ContentsRequest, readContents } from '../../../src/engine/read-contents.js';
import { readContentsInThread } from '../../../src/serving/bundle-life/read-contents-in-thread.js';
import { writeFaultyBundle } from '../../support/faulty-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

/** Ids of the processes that the threads of this one have started and that have not ended. */
async function listChildren(): Promise<string[]> {
  const threads = await readdir('/proc/self/task');
  const lists = await Promise.all(
    threads.map((id) => readFile(`/proc/self/task/${id}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean));
}

const { folder } = await writeSmallBundle(t.testdir({}));
const request: ContentsRequest = {
  folder,
  scenarios: SCENARIOS,
  replacedViews: [],
  memoryLimitBytes: Number.POSITIVE_INFINITY,
};
let started = 0;
process.on('worker', () => started++);

t.test('a small bundle is read here, a large one in a thread, and both are the same', async (t) => {
  const here = await readContentsInThread({ request, beside: true });
  t.equal(started, 0);
  // Nobody lists it, and nobody reads it.
  await writeFile(join(folder, 'ballast'), Buffer.alloc(5 * 1024 * 1024));
  const loads: FeatureLoad[] = [];
  const observer = { loaded: (load: FeatureLoad) => void loads.push(load), read: () => undefined };
  for (const beside of [true, false]) {
    const contents = await readContentsInThread({ request, beside }, observer);
    t.same(packContents(contents), packContents(here));
  }
  t.ok(started >= 2);
  t.same(loads.map(({ view }) => view).sort(), ['items', 'items', 'users', 'users']);
});

t.test('a rehearsal is that of the thread, which ends it when it is given up', async (t) => {
  const sound = { silenceMs: 120_000, signal: new AbortController().signal };
  const contents = await readContentsInThread({ request, beside: true, rehearsal: sound });
  t.equal(contents.manifest.version, (await readContents(request)).manifest.version);

  const { folder: hanging } = await writeFaultyBundle(t.testdir({}), { hangs: true });
  const closing = new AbortController();
  const rehearsal = { silenceMs: 120_000, signal: closing.signal };
  const givenUp = readContentsInThread({
    request: { ...request, folder: hanging },
    beside: true,
    rehearsal,
  });
  while ((await listChildren()).length === 0) await wait(10);
  closing.abort();
  await t.rejects(givenUp, { message: /abort/ });
  while ((await listChildren()).length > 0) await wait(10);
  await t.rejects(readContentsInThread({ request, beside: true, rehearsal }), { name: 'AbortError' });
});

t.test('what is wrong with it is said as by who reads it here', async (t) => {
  await rm(join(folder, 'ranker.onnx'));
  const here = await readContents(request).catch((error: Error) => error);
  await t.rejects(readContentsInThread({ request, beside: false }), {
    code: 'INVALID_BUNDLE',
    message: (here as Error).message,
  });
  await t.rejects(openEngine(folder, SCENARIOS), { message: (here as Error).message });
});

t.test(
  'a thread lowers its own priority, and no other',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const program = `
    const { readlinkSync } = require('node:fs');
    require('node:worker_threads').parentPort.postMessage(Number(readlinkSync('/proc/thread-self').split('/').pop()));
    setInterval(() => undefined, 1000);`;
    const other = new Worker(program, { eval: true, execArgv: [] });
    const id = await new Promise<number>((resolve) => other.once('message', resolve));
    const before = getPriority(id);
    // In a thread of its own: this one would keep it.
    const url = new URL('../../support/lower-priority.js', import.meta.url);
    const lowered = new Worker(url);
    const [own, first] = await new Promise<[number, number]>((resolve) => lowered.once('message', resolve));
    t.equal(own, 10);
    t.equal(first, getPriority(process.pid));
    t.equal(getPriority(id), before);
    await other.terminate();
  },
);
