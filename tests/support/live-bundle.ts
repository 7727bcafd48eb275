import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { formatChecksum } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { CHECKSUM_FILE, type Manifest, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import type { UserEvent } from '../../src/domain/event.js';
import type { InteractionCounting } from '../../src/domain/interactions.js';
import type { Subject } from '../../src/domain/subject.js';
import type { OpenEvents } from '../../src/events/event-store.js';
import { openLocalEvents } from '../../src/events/local/open-local-events.js';
import type { PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import type { SlateForm } from '../../src/serving/recommender.js';
import { createSyntheticDataset } from './synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig, trainSmallBundle } from './trained-bundle.js';

/** The scenarios that ship, and `home` without a rule: what it must not show is left out by no rule. */
export const LIVE_SCENARIOS: ReadonlyMap<string, ScenarioConfig> = new Map([
  ...SCENARIOS,
  ['bare', { ...SCENARIOS.get('home')!, name: 'bare', rules: [] }],
]);

/** Trains on a dataset and publishes the bundle to a channel of a registry, which is made where there is none. */
export async function publishLiveBundle(
  registry: string,
  options: {
    dataset?: PreparedDataset;
    counting?: InteractionCounting;
    channel?: string;
    createdAt?: string;
  } = {},
): Promise<Manifest> {
  const { dataset = createSyntheticDataset(), counting, channel = 'staging', ...provenance } = options;
  const folder = join(registry, '..', `trained-${channel}-${provenance.createdAt ?? ''}`);
  const trained = await writeTrainedBundle(folder, await trainSmallBundle(dataset), {
    dataset,
    config: smallTrainingConfig(),
    provenance: { ...PROVENANCE, ...provenance },
  });
  const manifest = { ...trained, ...(counting && { interactions: counting }) };
  const text = JSON.stringify(manifest);
  await writeFile(join(folder, MANIFEST_FILE), text);
  await writeFile(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
  const published = createFolderRegistry(registry);
  await published.publish(folder);
  if (channel !== 'staging') await published.point(channel, manifest.version);
  return manifest;
}

/** Events of a folder as a server opens them, and what becomes of reading. */
export async function openEvents(t: Test, folder: string): Promise<OpenEvents> {
  const ignore = (): void => undefined;
  const opened = await openLocalEvents({
    folder,
    syncMs: 0,
    maxItems: 200,
    days: 30,
    clock: () => Date.now() / 1000,
    observer: { committed: ignore, measured: ignore, begun: ignore, changed: ignore },
    onHistories: ignore,
  });
  t.teardown(() => opened.store.close());
  return opened;
}

/** A click of now, with what a test changes. */
export function clickOf(subject: Pick<Subject, 'userId' | 'sessionId'>, itemId: string): UserEvent {
  return { ...subject, itemId, type: 'click', time: Date.now() / 1000 };
}

/** A request for the best ten. */
export function requestOf(
  subject: Subject,
  changes: Partial<RecommendationRequest> = {},
): RecommendationRequest {
  return { subject, scenario: 'home', limit: 10, exclude: [], filters: [], explain: 'none', ...changes };
}

/** An answer as its items, for a cache. */
export const ITEMS_FORM: SlateForm = {
  name: 'items',
  write: ({ items }) => Buffer.from(JSON.stringify(items.map(({ itemId }) => itemId))),
  isWritten: () => true,
};
