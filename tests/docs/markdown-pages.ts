import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The checkout under test, with a trailing slash. */
export const REPOSITORY = process.cwd();

export interface MarkdownPage {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  /** The page without code blocks and inline code. */
  readonly prose: string;
  /** Each code block and each piece of inline code. */
  readonly code: readonly string[];
}

/** Folders that hold what was installed, built, trained or published: nothing in there is ours to write. */
const NOT_OURS = new Set(['.git', '.tap', 'node_modules', 'dist', 'build', 'data']);
const FENCED_CODE = /^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm;
const INLINE_CODE = /(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;

/** Every Markdown page of the repository, by path. */
export function readMarkdownPages(): MarkdownPage[] {
  return listFiles('')
    .filter((path) => path.endsWith('.md') && (!path.startsWith('models/') || path === 'models/README.md'))
    .map((path) => parsePage(path, readFileSync(join(REPOSITORY, path), 'utf8')));
}

/** Paths of every file under a folder of the repository, relative to the repository, sorted. */
export function listFiles(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) =>
      entry.isDirectory() ? listFiles(join(folder, entry.name)) : join(folder, entry.name),
    )
    .sort();
}

function parsePage(path: string, text: string): MarkdownPage {
  const fenced = text.match(FENCED_CODE) ?? [];
  const withoutFences = text.replace(FENCED_CODE, '');
  const inline = withoutFences.match(INLINE_CODE) ?? [];
  return { path, text, prose: withoutFences.replace(INLINE_CODE, ''), code: [...fenced, ...inline] };
}
