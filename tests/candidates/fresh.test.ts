import t from 'tap';
import type { TensorFile } from '../../src/bundle/tensor-file.js';
import {
  createFreshSource,
  freshToTensors,
  parseFresh,
  type AttributeModel,
} from '../../src/candidates/fresh.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { history } from '../support/small-world.js';

/** Genre (drama, war) and colour (yes); item 4 has neither. Items 2, 3 and 4 are untouched. */
const model: AttributeModel = {
  offsets: Uint32Array.of(0, 2, 4, 6, 7, 7),
  values: Int32Array.of(0, 2, 1, 2, 0, 1, 1),
  shares: Float32Array.of(1, 1, 1, 1, 0.5, 0.5, 1),
  attributes: Uint32Array.of(0, 2, 3),
  taken: Float32Array.of(0.75, 0.25, 1),
  offered: Float32Array.of(0.5, 0.5, 1),
  untouched: Int32Array.of(2, 3, 4),
  priorInteractions: 4,
};

function retrieve(items: number[], forbidden: number[] = []): Retrieval {
  const eligible = new Uint8Array(5).fill(1);
  for (const item of forbidden) eligible[item] = 0;
  return createFreshSource(model).retrieve({
    userId: 'u',
    history: history(items),
    eligible,
    limit: 5,
  }) as Retrieval;
}

t.test('untouched items are scored by the log lift of their values in the drawn taste', async (t) => {
  const { items, scores } = retrieve([1, 1]);
  // Drama: 4 · 0.75 of 6, war: 4 · 0.25 + 2 of 6, each offered by half of the catalogue.
  const lift = { drama: Math.log(3 / 6 / 0.5), war: Math.log(3 / 6 / 0.5) };
  t.same([...items], [2, 3, 4], 'equal scores by item index');
  t.same([...scores], [(lift.drama + lift.war) / 2, lift.war, 0].map(Math.fround));
  const warlike = retrieve([1, 1, 1, 1]);
  t.same([...warlike.items], [3, 4, 2]);
  t.equal(warlike.scoreOf(3), Math.fround(Math.log(5 / 8 / 0.5)));
});

t.test('without a history the taste of everybody decides', async (t) => {
  const { items, scoreOf } = retrieve([]);
  t.same([...items], [4, 2, 3]);
  t.equal(scoreOf(3), Math.fround(Math.log(0.25 / 0.5)));
});

t.test('touched items are never retrieved, but scored', async (t) => {
  t.equal(retrieve([]).scoreOf(0), Math.fround(Math.log(0.75 / 0.5)));
  t.same([...retrieve([], [4]).items], [2, 3]);
});

t.test('a model survives the way through its artefact', async (t) => {
  t.same(parseFresh(freshToTensors(model), { itemCount: 5 }), model);
});

const faults: [what: string, change: Partial<AttributeModel>, problem: string][] = [
  ['offsets that fall', { offsets: Uint32Array.of(0, 2, 1, 6, 7, 7) }, 'offsets: do not rise from 0 to 7'],
  ['attributes that end early', { attributes: Uint32Array.of(0, 2) }, 'attributes: do not rise from 0 to 3'],
  ['a value that there is not', { values: model.values.with(3, 3) }, 'values: not all are below 3'],
  ['a negative value', { values: model.values.with(3, -1) }, 'values: not all are below 3'],
  ['too few shares', { shares: model.shares.subarray(1) }, 'shares: 6 for 7 entries'],
  ['too few offers', { offered: model.offered.subarray(1) }, 'offered: 2 for 3 values'],
  ['a value that is never offered', { offered: model.offered.with(1, 0) }, 'taken, offered: not all above 0'],
  [
    'an untouched item that is none',
    { untouched: Int32Array.of(2, 3, 5) },
    'untouched: not ascending item indexes below 5',
  ],
  [
    'untouched items out of order',
    { untouched: Int32Array.of(3, 2) },
    'untouched: not ascending item indexes below 5',
  ],
  ['no prior', { priorInteractions: 0 }, 'metadata priorInteractions: expected above 0, found "0"'],
];

for (const [what, change, problem] of faults) {
  t.test(`an artefact with ${what} is refused`, async (t) => {
    const artefact: TensorFile = freshToTensors({ ...model, ...change });
    t.throws(() => parseFresh(artefact, { itemCount: 5 }), {
      code: 'INVALID_BUNDLE',
      problems: [`fresh: ${problem}`],
    });
  });
}
