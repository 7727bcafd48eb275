import t from 'tap';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, listFiles, readMarkdownPages } from './markdown-pages.js';

const pages = readMarkdownPages();

t.test('every `make` target that a page names is in the Makefile', async (t) => {
  const targets = readMakeTargets();
  const named = findInCode(/\bmake ([a-z][a-z-]*)/g);
  t.same(
    named.filter(({ word }) => !targets.includes(word)),
    [],
  );
});

t.test('every `shortlist` command that a page names has its file in src/commands/', async (t) => {
  const named = findInCode(/\bshortlist(?:\.js)? ([a-z][a-z-]*)/g);
  t.same(
    named.filter(({ word }) => !existsSync(join(REPOSITORY, `src/commands/${word}.ts`))),
    [],
  );
});

t.test('every option that a page gives to a `shortlist` command is defined in src/commands/', async (t) => {
  const sources = listFiles('src/commands').map((path) => readFileSync(join(REPOSITORY, path), 'utf8'));
  const lines = findInCode(/\bshortlist(?:\.js)? ([a-z][^\n`|;&#]*)/g);
  const options = lines.flatMap(({ page, word }) =>
    [...word.matchAll(/(?<=\s)--[a-z][a-z-]*/g)].map(([option]) => ({ page, word: option })),
  );
  t.same(
    options.filter(({ word }) => !sources.some((source) => source.includes(word))),
    [],
  );
});

t.test('every npm script that a page names is in package.json', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  t.same(
    findInCode(/\bnpm run ([a-z][\w:-]*)/g).filter(({ word }) => scripts[word] === undefined),
    [],
  );
});

t.test('`make help` lists every target that a person may want', async (t) => {
  const documented = [...readMakefile().matchAll(/^([a-z][a-z-]*):.*## \S/gm)].map(([, target]) => target!);
  t.same(readMakeTargets(), documented);
});

/** What the first group of a pattern finds in the code of each page. */
function findInCode(pattern: RegExp): { page: string; word: string }[] {
  return pages.flatMap(({ path, code }) =>
    code.flatMap((text) => [...text.matchAll(pattern)].map((match) => ({ page: path, word: match[1]! }))),
  );
}

function readMakeTargets(): string[] {
  return [...readMakefile().matchAll(/^([a-z][a-z-]*):/gm)].map(([, target]) => target!);
}

function readMakefile(): string {
  return readFileSync(join(REPOSITORY, 'Makefile'), 'utf8');
}
