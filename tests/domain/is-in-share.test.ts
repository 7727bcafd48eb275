import * as fc from 'fast-check';
import t from 'tap';
import { isInShare } from '../../src/domain/is-in-share.js';

const ids = Array.from({ length: 20_000 }, (_, user) => `u${user}`);
const countIn = (share: number, purpose = 'canary'): number =>
  ids.filter((id) => isInShare(id, share, { purpose })).length;

t.test('a share is of about so many ids', async (t) => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, fc.string(), (share, purpose) => {
      const spread = Math.sqrt((share * (1 - share)) / ids.length);
      return Math.abs(countIn(share, purpose) / ids.length - share) <= 5 * spread + 1 / ids.length;
    }),
    { numRuns: 40, seed: 7 },
  );
  t.equal(countIn(0), 0);
  t.equal(countIn(1), ids.length);
});

t.test('who is in a share stays in it when it grows, and is in it each time', async (t) => {
  const shares = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.string(), shares, fc.string(), (id, [one, other], purpose) => {
      const [small, large] = one < other ? [one, other] : [other, one];
      const isIn = isInShare(id, small, { purpose });
      return isIn === isInShare(id, small, { purpose }) && (!isIn || isInShare(id, large, { purpose }));
    }),
    { numRuns: 2000, seed: 7 },
  );
  t.pass();
});

t.test('the shares of two purposes have nothing to do with each other', async (t) => {
  const both = ids.filter(
    (id) => isInShare(id, 0.2, { purpose: 'canary' }) && isInShare(id, 0.2, { purpose: 'impressions' }),
  );
  t.ok(Math.abs(both.length / ids.length - 0.04) < 0.007, `${both.length}`);
});

t.test('places are pinned: they must not move with a release of the program', async (t) => {
  t.same(
    ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'u8'].filter((id) =>
      isInShare(id, 0.5, { purpose: 'canary' }),
    ),
    ['u2'],
  );
});
