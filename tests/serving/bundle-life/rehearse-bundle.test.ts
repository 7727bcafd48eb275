import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openEngine } from '../../../src/engine/open-engine.js';
import type { ContentsRequest } from '../../../src/engine/read-contents.js';
import { rehearseBundle } from '../../../src/serving/bundle-life/rehearse-bundle.js';
import { writeFaultyBundle } from '../../support/faulty-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

/** The process that tries a bundle compiles what it runs first. */
const PATIENT = 120_000;
const signal = new AbortController().signal;
const dir = t.testdir({ sound: {}, hanging: {} });
const sound = await writeSmallBundle(join(dir, 'sound'));

const requestFor = (folder: string, changes: Partial<ContentsRequest> = {}): ContentsRequest => ({
  folder,
  scenarios: SCENARIOS,
  replacedViews: [],
  memoryLimitBytes: Number.POSITIVE_INFINITY,
  ...changes,
});

/** Ids of the processes that this one has started and that have not ended. */
async function listChildren(): Promise<number[]> {
  const text = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

t.test('a sound bundle passes, also where something else serves its views of users', async (t) => {
  await t.resolves(rehearseBundle(requestFor(sound.folder), { silenceMs: PATIENT, signal }));
  const request = requestFor(sound.folder, { replacedViews: ['users'] });
  await t.resolves(rehearseBundle(request, { silenceMs: PATIENT, signal }));
});

t.test('what is wrong with a bundle is said as by who opens it here', async (t) => {
  await rm(join(sound.folder, 'ranker.onnx'));
  const here = await openEngine(sound.folder, SCENARIOS).catch((error: Error) => error);
  await t.rejects(rehearseBundle(requestFor(sound.folder), { silenceMs: PATIENT, signal }), {
    code: 'INVALID_BUNDLE',
    message: (here as Error).message,
  });
});

t.test('a model that hangs in its trial runs is refused, and its process is killed', async (t) => {
  const { folder } = await writeFaultyBundle(join(dir, 'hanging'), { hangs: true });
  await t.rejects(rehearseBundle(requestFor(folder), { silenceMs: 6000, signal }), {
    code: 'INVALID_BUNDLE',
    message: /hangs: the process that tried it said nothing for 6000 ms/,
  });
  const dying = rehearseBundle(requestFor(folder), { silenceMs: PATIENT, signal });
  const child = (await listChildren()).at(-1);
  process.kill(child!, 'SIGSEGV');
  await t.rejects(dying, { code: 'INVALID_BUNDLE', message: /ended the process that tried it \(SIGSEGV\)/ });
  const closing = new AbortController();
  const givenUp = rehearseBundle(requestFor(folder), { silenceMs: PATIENT, signal: closing.signal });
  closing.abort();
  await t.rejects(givenUp, { name: 'AbortError' });
});

/** Does something to each process that tries a bundle, for as long as `isOver` does not say so. */
async function meddle(isOver: () => boolean, act: (child: number) => void): Promise<number> {
  const met = new Set<number>();
  while (!isOver()) {
    for (const child of await listChildren()) {
      if (met.has(child)) continue;
      met.add(child);
      act(child);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return met.size;
}

t.test('a process that is killed once is started again, and a sound bundle passes', async (t) => {
  const { folder } = await writeSmallBundle(t.testdir({}));
  let over = false;
  let kills = 0;
  const meddling = meddle(
    () => over,
    (child) => ++kills === 1 && process.kill(child, 'SIGKILL'),
  );
  await t.resolves(rehearseBundle(requestFor(folder), { silenceMs: PATIENT, signal }));
  over = true;
  t.equal(await meddling, 2);
});

t.test('one that is killed each time, or gets no processor, says nothing against the bundle', async (t) => {
  const { folder } = await writeSmallBundle(t.testdir({}));
  let over = false;
  const killing = meddle(
    () => over,
    (child) => process.kill(child, 'SIGKILL'),
  );
  await t.rejects(rehearseBundle(requestFor(folder), { silenceMs: PATIENT, signal }), {
    code: 'TRIAL_FAILED',
    message: /was killed \(SIGKILL\)/,
  });
  over = true;
  t.equal(await killing, 3);
  over = false;
  const stopping = meddle(
    () => over,
    (child) => process.kill(child, 'SIGSTOP'),
  );
  await t.rejects(rehearseBundle(requestFor(folder), { silenceMs: 300, signal }), {
    code: 'TRIAL_FAILED',
    message: /said nothing for 900 ms, and had \d+ ms of a processor/,
  });
  over = true;
  await stopping;
});
