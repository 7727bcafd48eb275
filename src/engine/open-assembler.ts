import { ShortlistError } from '../domain/errors.js';
import type { Catalogue } from '../domain/catalogue.js';
import type { ItemLinks } from '../domain/item-links.js';
import { collectFeatureInputs } from '../features/collect-feature-inputs.js';
import { createFeatureAssembler, type FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { FeatureTable } from '../features/feature-table.js';
import type { ItemContexts } from '../features/item-contexts.js';
import { parseItemContexts } from '../features/read-item-contexts.js';
import { parseItemLinks } from '../features/read-item-links.js';
import type { ProblemCollector } from './collect-problems.js';
import { listUserViews } from './list-user-views.js';
import { listServedSources } from './open-candidate-sources.js';
import { type BundleContents, parseArtefact } from './read-bundle.js';

interface AssemblerOpening {
  /** Serve views of users that have no table among the contents. */
  readonly stores: readonly FeatureStore[];
  readonly observer: FeatureObserver | undefined;
  readonly collected: ProblemCollector;
}

/**
 * Opens what makes the ranker's input of a bundle. Undefined, with the problems collected, when a part of it cannot be used;
 * one that could not be read was reported already.
 */
export async function openAssembler(
  contents: BundleContents,
  { stores, observer, collected }: AssemblerOpening,
): Promise<FeatureAssembler | undefined> {
  const { manifest, catalogue, tables } = contents;
  const links = catalogue && (await openLinks(contents, { catalogue, collected }));
  const contexts = await collected.attempt('context', () => readContexts(contents));
  return collected.attempt('features', () => {
    const items = tables.get('items');
    if (catalogue === undefined || items === undefined || links === undefined) return undefined;
    if (!isWhole(contents, stores)) return undefined;
    refuseOtherItems(items, catalogue, manifest.views.items.file);
    const inputs = collectFeatureInputs({
      catalogue,
      itemTables: [...tables.values()].filter(({ view }) => view.entity === 'item'),
      userViews: listUserViews(manifest),
      sourceNames: listServedSources(manifest),
      ...links,
      contexts,
      times: manifest.dataset.times,
      target: manifest.interactions?.target,
      observer,
    });
    return createFeatureAssembler(inputs, manifest.ranker.featureOrder);
  });
}

/** What the ranker reads of items and items: the artefact of `similar-items`, and what follows what. */
async function openLinks(
  contents: BundleContents,
  { catalogue, collected }: { catalogue: Catalogue; collected: ProblemCollector },
): Promise<{ similarItems: ItemLinks | undefined; followers: ItemLinks | undefined }> {
  const { sources, followers } = contents.manifest;
  const itemCount = catalogue.entities.size;
  const open = async (file: string | undefined): Promise<ItemLinks | undefined> =>
    file === undefined
      ? undefined
      : collected.attempt(file, () =>
          parseItemLinks(parseArtefact(contents, file), { itemCount, name: file }),
        );
  return { similarItems: await open(sources['similar-items']?.file), followers: await open(followers?.file) };
}

function readContexts(contents: BundleContents): ItemContexts | undefined {
  const { manifest, catalogue } = contents;
  if (manifest.context === undefined || catalogue === undefined) return undefined;
  const { file, ...spec } = manifest.context;
  return parseItemContexts(parseArtefact(contents, file), {
    ...spec,
    itemCount: catalogue.entities.size,
    name: file,
  });
}

/** Whether every view has a table or a store; one that could not be read was reported already. */
function isWhole({ manifest, tables }: BundleContents, stores: readonly FeatureStore[]): boolean {
  const served = new Set([...tables.keys(), ...stores.map(({ view }) => view.name)]);
  return Object.keys(manifest.views).every((name) => served.has(name));
}

/** The item index is a row of both files: they must hold the same items in the same order. */
function refuseOtherItems(items: FeatureTable, catalogue: Catalogue, file: string): void {
  const row = items.entities.findDifference(catalogue.entities);
  if (row < 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${file}: row ${row + 1} is not the item that the catalogue has there`,
  );
}
