import t from 'tap';
import { createBundleVersion, hashContents, VERSION_PATTERN } from '../../src/bundle/bundle-version.js';

t.test('a version says when it was made and what it holds', async (t) => {
  const version = createBundleVersion(new Date('2026-11-22T00:45:00.999Z'), '1b9f03ac77');
  t.equal(version, '20261122T004500Z-1b9f03ac');
  t.match(version, VERSION_PATTERN);
});

t.test('versions sort by time', async (t) => {
  const times = ['2026-01-02T03:04:05Z', '2026-11-22T00:45:00Z', '2027-01-01T00:00:00Z'];
  const versions = times.map((time, index) =>
    createBundleVersion(new Date(time), String(9 - index).repeat(8)),
  );
  t.strictSame([...versions].sort(), versions);
});

t.test('the content hash depends on paths and hashes, not on their order', async (t) => {
  const [a, b] = [{ sha256: 'aa' }, { sha256: 'bb' }];
  t.equal(hashContents({ x: a, y: b }), hashContents({ y: b, x: a }));
  t.not(hashContents({ x: a, y: b }), hashContents({ x: b, y: a }));
  t.not(hashContents({ x: a }), hashContents({ z: a }));
});
