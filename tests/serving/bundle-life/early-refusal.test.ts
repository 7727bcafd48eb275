import t from 'tap';
import { createEarlyRefusal } from '../../../src/serving/bundle-life/early-refusal.js';

const full = { refuses: (budgetMs: number) => budgetMs <= 100 };
const count = (refuses: (budgetMs: number) => boolean): number =>
  Array.from({ length: 160 }, () => refuses(100)).filter(Boolean).length;

t.test('a request is refused before it is read where the threads would refuse it', (t) => {
  t.equal(count(createEarlyRefusal(() => full, undefined)), 160);
  t.equal(createEarlyRefusal(() => full, undefined)(101), false);
  t.equal(count(createEarlyRefusal(() => ({}), undefined)), 0, 'nothing refuses');
  t.equal(count(createEarlyRefusal(() => undefined, undefined)), 0, 'no bundle is open');
  t.end();
});

t.test('where answers are kept all are looked up while some are found, and one in sixteen otherwise', (t) => {
  t.equal(count(createEarlyRefusal(() => full, { hitShare: () => 0.5 })), 0);
  t.equal(count(createEarlyRefusal(() => full, { hitShare: () => 0 })), 150);
  t.end();
});
