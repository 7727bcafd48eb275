import { getPriority } from 'node:os';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { FeatureLoad } from '../../src/features/feature-observer.js';
import { openEngine } from '../../src/pipeline/open-engine.js';
import { packContents } from '../../src/pipeline/read-bundle.js';
import { type ContentsRequest, readContents } from '../../src/pipeline/read-contents.js';
import { readContentsInThread } from '../../src/serving/read-contents-in-thread.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

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
    const url = new URL('../support/lower-priority.js', import.meta.url);
    const lowered = new Worker(url);
    const [own, first] = await new Promise<[number, number]>((resolve) => lowered.once('message', resolve));
    t.equal(own, 10);
    t.equal(first, getPriority(process.pid));
    t.equal(getPriority(id), before);
    await other.terminate();
  },
);
