import { packError } from '../../domain/packed-error.js';
import { createDependencyAccess } from '../../domain/dependency-access.js';
import type { FeatureLoad } from '../../features/feature-observer.js';
import { packContents } from '../../engine/read-bundle.js';
import { readContents } from '../../engine/read-contents.js';
import type { ContentsReply, ContentsTask, ToldOfSources } from './read-contents-in-thread.js';
import { tryBundle } from './rehearse-bundle.js';

/**
 * Has a bundle tried where that is asked for, and reads it.
 * @param signal gives up the trial
 */
export async function answerContentsTask(
  { request, trialSilenceMs: silenceMs, policy }: ContentsTask,
  signal: AbortSignal,
): Promise<ContentsReply> {
  const loads: FeatureLoad[] = [];
  const told: ToldOfSources = { retries: [], reads: [], excesses: [] };
  const access = createDependencyAccess(policy, {
    observer: {
      retried: (retry) => told.retries.push({ ...retry, error: packError(retry.error) }),
      read: (read) => told.reads.push(read),
      exceeded: (excess) => told.excesses.push(excess),
    },
  });
  try {
    if (silenceMs !== undefined) await tryBundle(request, { silenceMs, signal });
    const observer = { loaded: (load: FeatureLoad) => void loads.push(load), read: () => undefined };
    return { contents: packContents(await readContents(request, observer, access)), loads, told };
  } catch (error) {
    return { refused: packError(error), told };
  }
}
