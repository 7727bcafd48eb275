import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { tryLoad } from './try-load.js';

const { connection, ...database } = await openDatabase();
t.teardown(() => database.close());

/** How a writer may write what RFC 4180 leaves open. */
const style = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnds: fc.constantFrom(['\n'], ['\r\n'], ['\r\n', '\n'], ['\r']),
  quotes: fc.infiniteStream(fc.boolean()),
  endsWithLineEnd: fc.boolean(),
  hasMark: fc.boolean(),
});
const SIGNS = Array.from('ab12é,;|\t"\n\r #\\\'.-');
const value = fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 6 });
const table = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 12 });

t.test('whatever is written as RFC 4180 says comes back', async (t) => {
  const dir = t.testdir();
  await fc.assert(
    fc.asyncProperty(
      table,
      style,
      async (rows, { delimiter, lineEnds, quotes, endsWithLineEnd, hasMark }) => {
        const write = (text: string): string =>
          /["\r\n,;|\t]/.test(text) || quotes.next().value === true
            ? `"${text.replaceAll('"', '""')}"`
            : text;
        const lines = [['user_id', 'item_id', 'note'], ...rows].map((cells) =>
          cells.map(write).join(delimiter),
        );
        const ended = lines.map((line, index) => {
          const isOpen = index === lines.length - 1 && !endsWithLineEnd;
          return isOpen ? line : `${line}${lineEnds[index % lineEnds.length]!}`;
        });
        writeFileSync(join(dir, 'log.csv'), `${hasMark ? '\uFEFF' : ''}${ended.join('')}`);
        const loaded = await tryLoad(connection, dir, {
          sql: "SELECT user_id, item_id, note FROM '{dir}/log.csv'",
          wanted: { required: ['note'], texts: ['note'] },
        });
        if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
        t.strictSame(
          loaded.rows.map(({ user_id: user, item_id: item, note }) => [user ?? '', item ?? '', note ?? '']),
          rows.map((cells) => [...cells]),
        );
      },
    ),
    { numRuns: 60, seed: 12 },
  );
});
