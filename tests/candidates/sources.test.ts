import t from 'tap';
import { alsToTensors } from '../../src/candidates/als.js';
import { freshToTensors } from '../../src/candidates/fresh.js';
import { popularInGroupToTensors } from '../../src/candidates/popular-in-group.js';
import { popularityToTensors } from '../../src/candidates/popularity.js';
import { similarItemsToTensors } from '../../src/candidates/similar-items.js';
import { isSourceName, openSource, SOURCES, type SourceName } from '../../src/candidates/sources.js';
import type { TensorFile } from '../../src/bundle/tensor-file.js';
import { IdIndex } from '../../src/domain/id-index.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { countAttributeValues } from '../../src/offline/training/candidates/attribute-model.js';
import { trainEase } from '../../src/offline/training/candidates/ease.js';
import { countGroupPopularity } from '../../src/offline/training/candidates/group-popularity.js';
import { trainImplicitAls } from '../../src/offline/training/candidates/implicit-als.js';
import { findItemNeighbours } from '../../src/offline/training/candidates/item-neighbours.js';
import { attribute, history, interactionTable } from '../support/small-world.js';
import { createTasteGroups } from './taste-groups.js';

const itemCount = 40;
const items = new IdIndex(Array.from({ length: itemCount }, (_, item) => `i${item}`));
const histories = createTasteGroups({ items: itemCount });
const counts = Float32Array.from({ length: itemCount }, (_, item) => Math.max(0, item - 30));

const ease = similarItemsToTensors(await trainEase(histories, { itemCount, regularisation: 5 }), {
  ease: { lastItems: 10, recencyExponent: 0 },
  'ease-recent': { lastItems: 10, recencyExponent: 0.5 },
});

const attributes = countAttributeValues(
  interactionTable([[0, 0, 1]], { users: 1, items }),
  { entities: items, attributes: [attribute('year', 'numeric', [...counts])] },
  { priorInteractions: 5 },
);

const groups = countGroupPopularity(
  histories,
  {
    entities: new IdIndex(Array.from({ length: 60 }, (_, user) => `u${user}`)),
    attributes: [
      attribute(
        'taste',
        'categorical',
        Array.from({ length: 60 }, (_, user) => `t${user % 4}`),
      ),
    ],
  },
  { itemCount, priorUsers: 5, itemsPerGroup: 20, minimumUsers: 2 },
);

const options = { itemCount, userViews: [] };

/** Tested in a file of its own: it is opened with a model. */
const isPlain = (name: SourceName): name is Exclude<SourceName, 'onnx-encoder'> => name !== 'onnx-encoder';

const artefacts: Record<Exclude<SourceName, 'onnx-encoder'>, TensorFile | undefined> = {
  als: alsToTensors(await trainImplicitAls(histories, { itemCount, dimensions: 4, epochs: 2, seed: 1 })),
  'similar-items': similarItemsToTensors(findItemNeighbours(histories, { itemCount }), {
    'similar-items': { lastItems: 10, recencyExponent: 0.5 },
  }),
  ease,
  'ease-recent': ease,
  fresh: freshToTensors(attributes),
  'popular-in-group': popularInGroupToTensors(groups),
  popular: popularityToTensors(counts),
  trending: popularityToTensors(counts),
  'trending-month': popularityToTensors(counts),
  random: undefined,
};

for (const name of Object.keys(SOURCES).filter(isSourceName).filter(isPlain)) {
  t.test(`${name} opens under its own name and retrieves`, async (t) => {
    const source = await openSource(name, artefacts[name], options);
    const retrieval = await source.retrieve({
      userId: 'u',
      userIndex: 0,
      history: history([1, 5, 9]),
      eligible: new Uint8Array(itemCount).fill(1),
      limit: 3,
    });
    t.equal(source.name, name);
    t.equal(retrieval.source, name);
    t.equal(retrieval.items.length, 3);
  });

  const { file } = SOURCES[name] as { file?: string };
  if (file === undefined) continue;

  t.test(`${name} does not open without its artefact`, async (t) => {
    await t.rejects(openSource(name, undefined, options), {
      code: 'INVALID_BUNDLE',
      message: `the bundle has no ${file}, which candidate source "${name}" serves from; train and publish again`,
    });
  });

  t.test(`${name} does not open on a catalogue of another size`, async (t) => {
    await t.rejects(openSource(name, artefacts[name], { ...options, itemCount: 39 }), {
      code: 'INVALID_BUNDLE',
    });
  });
}

t.test('popular reaches every item of the catalogue, trending only what moves', async (t) => {
  const query = {
    userId: 'u',
    history: history([]),
    eligible: new Uint8Array(itemCount).fill(1),
    limit: itemCount,
  };
  const retrieve = async (name: keyof typeof artefacts): Promise<Retrieval> =>
    (await openSource(name, artefacts[name], options)).retrieve(query);
  t.equal((await retrieve('popular')).items.length, itemCount);
  t.equal((await retrieve('trending')).items.length, 9);
});

t.test('a source that does not exist is refused, with those that do', async (t) => {
  for (const name of ['crystal', 'toString', '']) {
    await t.rejects(openSource(name, undefined, options), {
      code: 'INVALID_CONFIG',
      message: `no candidate source "${name}"; known are ${Object.keys(SOURCES).join(', ')}`,
    });
  }
});

t.test(
  'a source that looks for items by vectors asks the search that it is given, and closes it',
  async (t) => {
    let closed = 0;
    const source = await openSource('als', artefacts.als, {
      ...options,
      openSearch: ({ factors, dimensions }) => {
        t.equal(factors.length / dimensions, itemCount);
        return {
          findBest: () => ({ items: Int32Array.of(7), scores: Float32Array.of(1) }),
          close: async () => void closed++,
        };
      },
    });

    const found = await source.retrieve({
      userId: 'u',
      history: history([1, 5, 9]),
      eligible: new Uint8Array(itemCount).fill(1),
      limit: 3,
    });
    await source.close?.();

    t.same([...found.items], [7]);
    t.equal(closed, 1);
  },
);
