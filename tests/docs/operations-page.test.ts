import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { withoutTestRunner } from '../package/user-folder.js';
import { type Followed, followPage } from '../operations/follow-page.js';
import { readPage } from '../operations/read-page.js';

// Whether the page is true is what `make test-operations` finds out; here is what can be seen of that in seconds.
const PAGE = readFileSync('docs/operations.md', 'utf8');

t.test('of docs/operations.md only what needs a container engine is not run', async (t) => {
  const blocks = readPage(PAGE);
  t.same(
    blocks.flatMap(({ notRun, commands }) => (notRun === undefined ? [] : [[notRun, commands[0]]])),
    [['needs a container engine', 'make docker IMAGE=shortlist:local']],
  );
  t.equal(blocks.length, PAGE.match(/^```(?:sh|bash|shell|console)\b/gm)!.length);
  const commands = blocks.flatMap((block) => block.commands).join('\n');
  for (const command of ['promote', 'rollback', 'load-test', 'compare', 'diff', 'list', 'audit-log', 'gc']) {
    t.match(commands, `shortlist ${command}`);
  }
});

t.test('a command of docs/operations.md that is broken is found, with its line', async (t) => {
  const broken = PAGE.replace('npm --version', 'npm --no-such-option-or-command no-such-command');
  const line = broken.split('\n').findIndex((text) => text.includes('no-such-command')) + 1;
  const followed = await follow(t, broken);
  t.match(followed, { done: 0, leftRunning: false });
  t.match(followed.problem, new RegExp(`^page\\.md:${line}: ended with 1: v\\d+`));
});

t.test('blocks are run in one shell, in order, and what is shown must be printed', async (t) => {
  const page = writeBlocks(
    ['sh', 'mkdir inner', 'cd inner', 'NAME=World', 'greet() { echo "Hello,   $1!"; }'],
    ['sh', 'greet "$NAME"', 'echo 12 ms', 'cat', 'basename "$PWD"'],
    ['text', 'Hello, <name>!', '… ms', 'inner'],
  );
  t.same(await follow(t, page), { done: 2, problem: undefined, leftRunning: false });
  const wrong = await follow(t, page.replace('… ms', '13 ms'));
  t.match(wrong, { done: 1, problem: /^page\.md:19: not printed: 13 ms\n/ });
  const disordered = await follow(t, page.replace('… ms\ninner', 'inner\n… ms'));
  t.match(disordered, { done: 1, problem: /^page\.md:20: not printed: … ms\n/ });
});

t.test('a command that fails, is none, or asks for what is not set ends it at its line', async (t) => {
  for (const [command, code] of [
    ['false', 1],
    ['nothing-of-that-name', 127],
    ['echo "$NOT_SET_ANYWHERE"', 1],
    ['false | cat', 1],
    ['found=$(false)', 1],
  ] as const) {
    const page = writeBlocks(['sh', 'true'], ['sh', 'true', command, 'touch later']);
    const followed = await follow(t, page);
    t.match(followed, { done: 1 }, command);
    t.match(followed.problem, new RegExp(`^page\\.md:9: ended with ${code}: `), command);
  }
});

t.test('what a page leaves running is told and ended, and a page that hangs is ended', async (t) => {
  const leaving = await follow(t, writeBlocks(['sh', 'sleep 600 &', 'echo "$!"']));
  t.match(leaving, { done: 1, problem: undefined, leftRunning: true });
  const hanging = await follow(t, writeBlocks(['sh', 'true'], ['sh', 'sleep 600']), 500);
  t.match(hanging, { done: 1, problem: /^page\.md:8: was ended, for it took too long/ });
});

t.test('output that belongs to no commands is refused', async (t) => {
  t.throws(() => readPage(writeBlocks(['text', 'done'])), { message: /^line 4: / });
});

let pages = 0;

/** Follows a page in an empty folder. */
async function follow(t: Test, page: string, timeoutMs = 60_000): Promise<Followed> {
  const folder = join(t.testdirName, String(pages++));
  const [workplace, records] = [join(folder, 'workplace'), join(folder, 'records')];
  for (const path of [workplace, records]) mkdirSync(path, { recursive: true });
  t.teardown(() => t.testdir({}));
  const file = join(folder, 'page.md');
  writeFileSync(file, page);
  return followPage(file, { workplace, records, env: withoutTestRunner(process.env), timeoutMs });
}

/** A page of fenced blocks: the language, then the lines. The first line of the first block is line 4. */
function writeBlocks(...blocks: readonly (readonly [string, ...string[]])[]): string {
  const fenced = blocks.map(([language, ...lines]) => ['```' + language, ...lines, '```', ''].join('\n'));
  return ['# A page', '', ...fenced].join('\n');
}
