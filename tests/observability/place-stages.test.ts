import t from 'tap';
import { placeStages } from '../../src/observability/place-stages.js';

const stage = (name: string, milliseconds: number) => ({ stage: name, milliseconds, outcome: 'ok' });

t.test('stages end with the answer, one after the other; sources begin together', async (t) => {
  const stages = [stage('rules', 1), stage('candidates.a', 2), stage('candidates.b', 4), stage('ranking', 3)];
  t.same(placeStages(stages, { startMs: 100, endMs: 110 }), [
    { name: 'wait', startMs: 100, endMs: 102 },
    { name: 'rules', startMs: 102, endMs: 103 },
    { name: 'candidates.a', startMs: 103, endMs: 105 },
    { name: 'candidates.b', startMs: 103, endMs: 107 },
    { name: 'ranking', startMs: 107, endMs: 110 },
  ]);
});

t.test('clocks that do not agree move nothing before the request', async (t) => {
  const [wait, rules] = placeStages([stage('rules', 20)], { startMs: 100, endMs: 110 });
  t.same([wait!.endMs, rules!.startMs], [100, 100]);
  t.same(placeStages([], { startMs: 1, endMs: 2 }), []);
});
