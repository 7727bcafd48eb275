import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { openBundle } from '../../../src/engine/open-engine.js';
import { packContents } from '../../../src/engine/read-bundle.js';
import { inspect } from '../../../src/pipeline/inspection/inspect.js';
import type { Inspection, InspectionRequest } from '../../../src/pipeline/inspection/inspection.js';
import { createInspectionThread } from '../../../src/serving/compute/inspection-thread.js';
import { inspectionOf, readInspection } from '../../support/inspection.js';
import { requestOf } from '../../support/live-bundle.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const { folder } = await writeSmallBundle(t.testdir({}));
const bundle = await openBundle(folder, SCENARIOS);
t.teardown(() => bundle.engine.ranker.close());
const task = { contents: packContents(bundle.contents), scenarios: SCENARIOS };
const options = { clock: () => bundle.engine.knownUntil };
const PATIENT = { budgetMs: 60_000, prefetched: undefined };

/** The threads that are started, in their order. */
const started: Worker[] = [];
process.on('worker', (worker: Worker) => started.push(worker));

const ask = (userId: string): InspectionRequest =>
  inspectionOf(requestOf({ userId }), {
    about: [...bundle.engine.catalogue.entities.ids].slice(0, 20),
    listsCandidates: true,
  });

/** What does not differ from run to run. */
const timeless = ({ stages, sources, ...inspection }: Inspection) => ({
  ...inspection,
  stages: stages.map(({ stage, outcome }) => ({ stage, outcome })),
  sources: sources.map((source) => ({ ...source, milliseconds: 0 })),
});

t.test('a thread explains as the pipeline does in this thread', async (t) => {
  const thread = createInspectionThread(task, options);
  t.equal(started.length, 0, 'it opens when it is first asked');
  for (const user of ['u1', 'u2', 'nobody'])
    t.same(
      timeless(readInspection(await thread.inspect(ask(user), PATIENT))),
      timeless(readInspection(JSON.stringify(await inspect(ask(user), bundle.engine)))),
    );
  t.equal(started.length, 1);
  await thread.close();
});

t.test('what is wrong with the question is told, and the next one is answered', async (t) => {
  const thread = createInspectionThread(task, options);
  const wrong = { ...ask('u1'), changes: { ...ask('u1').changes, withoutSources: ['alss'] } };
  await t.rejects(thread.inspect(wrong, PATIENT), { code: 'INVALID_REQUEST', message: /alss/ });
  t.equal(readInspection(await thread.inspect(ask('u1'), PATIENT)).slate.length, 10);
  await thread.close();
});

t.test('one is computed at a time, also one that nobody waits for any more', async (t) => {
  const thread = createInspectionThread(task, options);
  await thread.inspect(ask('u1'), PATIENT);
  const late = thread.inspect(ask('u1'), { ...PATIENT, budgetMs: 0 });
  await t.rejects(thread.inspect(ask('u2'), PATIENT), { code: 'OVERLOADED' });
  // A timer of 0 ms may come after the answer.
  const outcome = await late.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  );
  t.ok(['answered', 'DEADLINE_EXCEEDED'].includes(outcome), outcome);
  for (;;) {
    const found = await thread.inspect(ask('u2'), PATIENT).catch(() => undefined);
    if (found !== undefined) break;
    await wait(5);
  }
  await thread.close();
});

t.test('it ends when it was not asked for a while, and opens again; so does one that was lost', async (t) => {
  const before = started.length;
  const thread = createInspectionThread(task, { ...options, idleMs: 10 });
  await thread.inspect(ask('u1'), PATIENT);
  await once(started.at(-1)!, 'exit');
  await thread.inspect(ask('u1'), PATIENT);
  t.equal(started.length, before + 2);
  await thread.close();

  const lasting = createInspectionThread(task, options);
  await lasting.inspect(ask('u1'), PATIENT);
  await started.at(-1)!.terminate();
  await new Promise(setImmediate);
  t.equal(readInspection(await lasting.inspect(ask('u1'), PATIENT)).slate.length, 10);
  await lasting.close();
});
