import t from 'tap';
import { createSlateIds } from '../../src/http/create-slate-ids.js';

t.test('slate ids are 22 characters of base64url, and none comes twice', async (t) => {
  const sources = [createSlateIds(), createSlateIds()];
  const ids = Array.from({ length: 10_000 }, (_, index) => sources[index % 2]!());
  t.equal(new Set(ids).size, ids.length);
  t.strictSame(
    ids.filter((id) => !/^[A-Za-z0-9_-]{22}$/.test(id) || Buffer.from(id, 'base64url').length !== 16),
    [],
  );
});
