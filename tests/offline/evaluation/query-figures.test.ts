import t from 'tap';
import {
  collectQueryFigures,
  decodeQueryFigures,
  encodeQueryFigures,
} from '../../../src/offline/evaluation/query-figures.js';
import type { SplitFacts } from '../../../src/offline/protocol/splits.js';

function makeFacts(label: string, queries: [user: number, relevant: number[]][]): SplitFacts {
  return {
    label,
    knownUntil: 100,
    trainRows: 50,
    testRows: 2,
    tiedRows: 0,
    queries: queries.map(([user, relevant]) => ({ user, relevant: Int32Array.from(relevant) })),
    popularity: new Uint32Array(5),
    historyLengths: new Uint32Array(queries.length),
  };
}

const SPLITS = [
  makeFacts('w1', [
    [0, [3, 4]],
    [2, [1]],
  ]),
  makeFacts('w2', [[0, [2]]]),
];
const NDCG = new Map([
  ['als', [0.1, 0, 1 / 3]],
  ['two-stage', [1, 0.5, 0]],
]);

t.test('what is read back from the file is what was written', async (t) => {
  const figures = collectQueryFigures(SPLITS, NDCG);
  t.same(figures.split, ['w1', 'w1', 'w2']);
  t.same(figures.user, [0, 2, 0]);
  t.same(await decodeQueryFigures(encodeQueryFigures(figures), 'queries.parquet'), figures);
});

t.test('the fingerprint is that of the questions, not of the answers', async (t) => {
  const { fingerprint } = collectQueryFigures(SPLITS, NDCG);
  t.match(fingerprint, /^[0-9a-f]{64}$/);
  t.equal(collectQueryFigures(SPLITS, new Map()).fingerprint, fingerprint);
  const reordered = makeFacts('w1', [
    [0, [4, 3]],
    [2, [1]],
  ]);
  t.equal(collectQueryFigures([reordered, SPLITS[1]!], NDCG).fingerprint, fingerprint);
  const others = [
    [makeFacts('w3', [[0, [3, 4]]])],
    [makeFacts('w1', [[0, [3]]])],
    [makeFacts('w1', [[1, [3, 4]]])],
    [...SPLITS].reverse(),
  ];
  const fingerprints = others.map((splits) => collectQueryFigures(splits, NDCG).fingerprint);
  t.equal(new Set([fingerprint, ...fingerprints]).size, 5);
});

t.test('a file of another kind is refused', async (t) => {
  await t.rejects(decodeQueryFigures(Buffer.from('PAR0'), 'queries.parquet'), { code: 'INVALID_BUNDLE' });
});
