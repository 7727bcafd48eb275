import type { CandidateSource } from '../candidates/candidate-source.js';
import type { Engine } from '../pipeline/engine.js';

/** Frees what an engine holds beside memory: models and stores. No request may be running on it. */
export async function closeEngine({ ranker, sources, userStores }: Engine): Promise<void> {
  await ranker.close();
  await closeSources(sources);
  for (const store of userStores) await store.close();
}

/** Frees the models of candidate sources. */
export async function closeSources(sources: ReadonlyMap<string, CandidateSource>): Promise<void> {
  for (const source of sources.values()) await source.close?.();
}
