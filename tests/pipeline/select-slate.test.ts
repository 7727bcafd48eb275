import t from 'tap';
import { selectSlate } from '../../src/pipeline/select-slate.js';

t.test('the best rows are shown, best first; equal scores keep the order of the candidates', async (t) => {
  const { rows, scores } = selectSlate(Float32Array.of(0.5, 2, -1, 2, 1), { limit: 4 });
  t.same([...rows], [1, 3, 4, 0]);
  t.same([...scores], [2, 2, 1, 0.5]);
});

t.test('fewer candidates than asked for are all shown', async (t) => {
  t.same([...selectSlate(Float32Array.of(1, 3), { limit: 10 }).rows], [1, 0]);
  t.same([...selectSlate(new Float32Array(0), { limit: 10 }).rows], []);
});
