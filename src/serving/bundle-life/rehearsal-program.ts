import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { packError } from '../../domain/packed-error.js';
import { closeEngine } from '../../engine/close-engine.js';
import { createEngine } from '../../engine/create-engine.js';
import { listAbsentStores, readContents } from '../../engine/read-contents.js';
import { recommend } from '../../pipeline/recommend.js';
import { lowerPriority } from '../compute/low-priority.js';
import type { RehearsalReply, RehearsalTask } from './rehearse-bundle.js';
import { warm } from '../compute/warm.js';

// The program of the process that `rehearseBundle` starts: it says that it lives for as long as its event loop does, and at last what
// is to be said of the bundle. Whoever started it ends it.

/** A process that hangs does not see that whoever would end it is gone; a thread of it does. */
const GUARD = `const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;

// A thread that has done so hands it down; a command has not.
lowerPriority();
new Worker(GUARD, { eval: true, execArgv: [] }).unref();
const [task] = (await once(process, 'message')) as [RehearsalTask];
const beat = setInterval(() => say('alive'), task.beatMs);
say(await tryOut(task));
clearInterval(beat);

async function tryOut({ request }: RehearsalTask): Promise<RehearsalReply> {
  try {
    const contents = await readContents(request);
    const { manifest } = contents;
    const engine = await createEngine(contents, {
      scenarios: request.scenarios,
      stores: listAbsentStores(manifest, request.replacedViews),
      clock: () => manifest.knownUntil,
    });
    await warm(engine, (asked) => recommend(asked, engine), nextTurn);
    await closeEngine(engine);
    return 'sound';
  } catch (error) {
    return { refused: packError(error) };
  }
}

/** Signs of life go out between two requests. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function say(reply: RehearsalReply): void {
  process.send!(reply);
}
