import t from 'tap';
import { arrangeLetters, letterFacts, MOMENT } from '../../support/slate-world.js';

const facts = letterFacts('-----');

function shownWith(strength: number, tired: readonly number[] | undefined) {
  return arrangeLetters([{ fatigue: { shown: 5, days: 7, strength } }], facts, {
    moment: { ...MOMENT, tired: tired && Int32Array.from(tired) },
    reasons: true,
  });
}

t.test('what was shown too often sinks, the more the stronger, and says so', async (t) => {
  t.equal(shownWith(0, [0, 1]).shown, 'abcde');
  t.equal(shownWith(0.2, [0]).shown, 'abcde', 'the best is as far ahead');
  t.equal(shownWith(0.3, [0]).shown, 'bacde');
  t.equal(shownWith(0.6, [0]).shown, 'bcade');
  t.equal(shownWith(1, [0, 1]).shown, 'cdabe', 'equal ones keep their order');
  t.equal(shownWith(1, undefined).shown, 'abcde');
  const { reasons } = shownWith(0.6, [0]);
  t.same(reasons![2], [{ rule: 'fatigue', detail: 'shown 5 times or more in 7 days', from: 1, to: 3 }]);
});
