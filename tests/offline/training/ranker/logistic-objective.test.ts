import t from 'tap';
import { createLogisticObjective } from '../../../../src/offline/training/ranker/logistic-objective.js';

t.test('a relevant row pulls as hard as the gain of its grade', async (t) => {
  // grades 1 and log2(6): gains 1 and 5
  const { computeDerivatives } = createLogisticObjective({ labels: Float32Array.of(1, Math.log2(6), 0) });
  const derivatives = { gradients: new Float32Array(3), hessians: new Float32Array(3) };
  computeDerivatives(new Float64Array(3), derivatives as never);
  const rounded = (values: Float32Array): number[] => [...values].map((value) => Number(value.toFixed(4)));
  t.same(rounded(derivatives.gradients), [-0.5, -2.5, 0.5]);
  t.same(rounded(derivatives.hessians), [0.25, 1.25, 0.25]);
});

t.test('a row pulls as hard as its weight, and the start counts it as often', async (t) => {
  const labels = Float32Array.of(1, 1, 0, 0);
  const { baseScore, computeDerivatives } = createLogisticObjective({
    labels,
    weights: Float32Array.of(1, 5, 1, 1),
  });
  t.equal(baseScore, Math.log(6 / 2));
  const derivatives = { gradients: new Float64Array(4), hessians: new Float64Array(4) };
  computeDerivatives(new Float64Array(4), derivatives as never);
  t.same([...derivatives.gradients], [-0.5, -2.5, 0.5, 0.5]);
  t.same([...derivatives.hessians], [0.25, 1.25, 0.25, 0.25]);
});
