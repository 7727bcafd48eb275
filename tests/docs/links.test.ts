import t from 'tap';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { REPOSITORY, readMarkdownPages, type MarkdownPage } from './markdown-pages.js';

for (const page of readMarkdownPages()) {
  t.test(`every relative link of ${page.path} leads somewhere`, async (t) => {
    t.same(
      readLinks(page).flatMap((link) => findProblem(page, link) ?? []),
      [],
    );
  });
}

t.test('a link to a missing file, a missing heading or out of the repository is found', async (t) => {
  const text = '# A page\n[a](missing.md) [b](CHANGELOG.md#nowhere) [c](../x.md) [d](#a-page) [e](LICENSE)\n';
  const page = { path: 'page.md', text, prose: text, code: [] };
  t.same(
    readLinks(page).map((link) => findProblem(page, link)),
    [
      'missing.md: no such file',
      'CHANGELOG.md#nowhere: no such heading',
      '../x.md: outside of the repository',
      undefined,
      undefined,
    ],
  );
});

/** Targets of inline and reference links and images that are not addresses on the web. */
function readLinks({ prose }: MarkdownPage): string[] {
  const inline = [...prose.matchAll(/\]\(\s*<?([^()\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...references]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

function findProblem(page: MarkdownPage, link: string): string | undefined {
  const [file, heading] = link.split('#', 2) as [string, string?];
  const path = file === '' ? page.path : normalize(join(dirname(page.path), decodeURIComponent(file)));
  if (path.startsWith('..') || file.startsWith('/')) return `${link}: outside of the repository`;
  const text = path === page.path ? page.text : findText(path);
  if (text === undefined) return `${link}: no such file`;
  if (heading !== undefined && !listHeadingAnchors(text).has(heading)) return `${link}: no such heading`;
  return undefined;
}

/** The text of a file, nothing of a folder; undefined where neither exists. */
function findText(path: string): string | undefined {
  const absolute = join(REPOSITORY, path);
  if (!existsSync(absolute)) return undefined;
  return statSync(absolute).isDirectory() ? '' : readFileSync(absolute, 'utf8');
}

/** Anchors as code hosts make them: lower case, punctuation dropped, spaces to hyphens, repeats numbered. */
function listHeadingAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = title!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let repeat = 1; anchors.has(anchor); repeat++) anchor = `${slug}-${repeat}`;
    anchors.add(anchor);
  }
  return anchors;
}
