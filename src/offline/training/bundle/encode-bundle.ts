import { encodeTensorFile } from '../../../bundle/tensor-file.js';
import type { BundleContent } from '../../../bundle/write-bundle-files.js';
import { SOURCES } from '../../../candidates/sources.js';
import { historiesToTensors } from '../../../features/read-histories.js';
import { itemContextsToTensors } from '../../../features/read-item-contexts.js';
import { itemLinksToTensors } from '../../../features/read-item-links.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { ENCODER } from '../encoder/imported-encoder.js';
import { BUNDLE_PATHS } from './bundle-paths.js';
import { encodeCatalogue } from './encode-catalogue.js';
import { encodeFeatureTable } from './encode-feature-table.js';
import type { TrainedBundle } from './train-bundle.js';

/** The files of what was trained, by their path in the bundle. */
export function encodeBundle(
  { stageOne, ranker, index }: TrainedBundle,
  dataset: PreparedDataset,
): Map<string, BundleContent> {
  const views = [...stageOne.itemViews, ...stageOne.userViews];
  const items = dataset.catalogue.entities.size;
  return new Map<string, BundleContent>([
    ...[...stageOne.artefacts].map(
      ([file, tensors]) => [file, { bytes: encodeTensorFile(tensors) }] as const,
    ),
    ...(stageOne.encoder === undefined
      ? []
      : [[SOURCES[ENCODER].model, { bytes: stageOne.encoder.model }] as const]),
    ...(index?.bytes === undefined ? [] : [[index.facts.file!, { bytes: index.bytes }] as const]),
    ...(stageOne.followers === undefined
      ? []
      : [
          [
            BUNDLE_PATHS.followers,
            { bytes: encodeTensorFile(itemLinksToTensors(stageOne.followers)) },
          ] as const,
        ]),
    ...(stageOne.contexts === undefined
      ? []
      : [
          [
            BUNDLE_PATHS.contexts,
            { bytes: encodeTensorFile(itemContextsToTensors(stageOne.contexts)) },
          ] as const,
        ]),
    [BUNDLE_PATHS.histories, { bytes: encodeTensorFile(historiesToTensors(stageOne.histories)) }],
    [BUNDLE_PATHS.catalogue, { bytes: encodeCatalogue(dataset.catalogue), rows: items }],
    ...views.map((table): [string, BundleContent] => [
      table.view.file,
      { bytes: encodeFeatureTable(table), rows: table.entities.size },
    ]),
    [BUNDLE_PATHS.ranker, { bytes: ranker.onnx }],
  ]);
}
