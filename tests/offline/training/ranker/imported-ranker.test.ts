import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../../src/bundle/bundle-files.js';
import { writeBundleFiles, type ManifestDraft } from '../../../../src/bundle/write-bundle-files.js';
import { findImportedRanker } from '../../../../src/offline/training/ranker/imported-ranker.js';
import { createSmallBundle } from '../../../bundle/small-bundle.js';

t.test('an imported ranker is found even where nothing is said of its training', async (t) => {
  const dir = t.testdir();
  const find = async (name: string, ranker: ManifestDraft['ranker']) => {
    await writeBundleFiles(join(dir, name), createSmallBundle({ ranker }));
    return findImportedRanker(await openBundleFiles(join(dir, name)));
  };
  const { ranker } = createSmallBundle().manifest;
  t.equal(await find('own', ranker), undefined);
  t.match(await find('imported', { ...ranker, objective: 'imported' }), {
    inputName: 'features',
    featureOrder: ranker.featureOrder,
    facts: {},
  });
});
