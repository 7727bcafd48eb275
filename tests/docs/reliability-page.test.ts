import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { REPOSITORY } from './markdown-pages.js';

const PAGE = readFileSync(join(REPOSITORY, 'docs/reliability.md'), 'utf8');

/** The rows of the table, without its head. */
function readRows(): { fault: string; shown: string }[] {
  const rows = PAGE.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => {
    const cells = row.split(' | ');
    return { fault: cells[0]!.slice(2).trim(), shown: cells[2]!.replace(/ *\|$/, '') };
  });
}

/** What the page says of a test: its file, and a part of its name. */
function listTests(shown: string): { file: string; name: string }[] {
  return [...shown.matchAll(/\]\(\.\.\/(tests\/[\w/-]+\.test\.ts)\): ([^;|]+)/g)].map(([, file, name]) => ({
    file: file!,
    name: name!.trim(),
  }));
}

function findProblem({ file, name }: { file: string; name: string }): string | undefined {
  const path = join(REPOSITORY, file);
  if (!existsSync(path)) return `${file}: no such file`;
  return readFileSync(path, 'utf8').includes(name) ? undefined : `${file}: no test “${name}”`;
}

t.test('every test that docs/reliability.md names is there', async (t) => {
  const tests = readRows().flatMap(({ shown }) => listTests(shown));
  t.ok(tests.length > 40);
  t.same(
    tests.flatMap((test) => findProblem(test) ?? []),
    [],
  );
});

t.test('every row names a test or says why there is none', async (t) => {
  for (const { fault, shown } of readRows()) {
    t.ok(listTests(shown).length > 0 || /^(not a test|not tested|no test here)\b/.test(shown), fault);
  }
});

t.test('a name that no test has is found', async (t) => {
  const file = 'tests/docs/links.test.ts';
  t.match(findProblem({ file, name: 'pigs fly' }), /no test “pigs fly”/);
  t.match(findProblem({ file: 'tests/none.test.ts', name: 'x' }), /no such file/);
});
