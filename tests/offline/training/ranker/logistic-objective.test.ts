import t from 'tap';
import { createLogisticObjective } from '../../../../src/offline/training/ranker/logistic-objective.js';

t.test('a relevant row pulls as hard as the gain of its grade', async (t) => {
  // grades 1 and log2(6): gains 1 and 5
  const { computeDerivatives } = createLogisticObjective(Float32Array.of(1, Math.log2(6), 0));
  const derivatives = { gradients: new Float32Array(3), hessians: new Float32Array(3) };
  computeDerivatives(new Float64Array(3), derivatives as never);
  const rounded = (values: Float32Array): number[] => [...values].map((value) => Number(value.toFixed(4)));
  t.same(rounded(derivatives.gradients), [-0.5, -2.5, 0.5]);
  t.same(rounded(derivatives.hessians), [0.25, 1.25, 0.25]);
});
