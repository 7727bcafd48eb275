/** A block of commands on a page, with the output that the page shows of it. */
export interface CommandBlock {
  /** Line of the page that its first command is in, from 1. */
  readonly line: number;
  readonly commands: readonly string[];
  /** Why the page says that it is not run, where it does. */
  readonly notRun: string | undefined;
  readonly output: readonly ShownLine[];
}

/** A line of output that the page shows. */
export interface ShownLine {
  readonly line: number;
  readonly text: string;
}

interface FencedBlock {
  readonly language: string;
  readonly line: number;
  readonly lines: readonly string[];
  /** The line before it that is not empty. */
  readonly before: string;
}

/** The blocks of `sh` of a Markdown page, each with the `text` that follows it; throws where a `text` follows none. */
export function readPage(page: string): CommandBlock[] {
  const blocks: (CommandBlock & { output: ShownLine[] })[] = [];
  for (const { language, line, lines, before } of readFencedBlocks(page)) {
    if (language === 'sh') {
      const notRun = /^<!-- not run: (.+) -->$/.exec(before)?.[1];
      blocks.push({ line, commands: lines, notRun, output: [] });
    } else if (language === 'text') {
      const shown = lines.map((text, index) => ({ line: line + index, text }));
      const block = blocks.at(-1);
      if (block === undefined) throw new Error(`line ${line}: output without commands before it`);
      block.output.push(...shown);
    }
  }
  return blocks;
}

/** The first line of a page's output that a text does not have, after those before it; spaces count once. */
export function findMissingLine(text: string, shown: readonly ShownLine[]): ShownLine | undefined {
  const lines = text.split('\n').map(normalise);
  let from = 0;
  return shown.find((line) => {
    const pattern = toPattern(line.text);
    const found = lines.findIndex((printed, index) => index >= from && pattern.test(printed));
    from = found + 1;
    return found === -1;
  });
}

function readFencedBlocks(page: string): FencedBlock[] {
  const lines = page.split('\n');
  const blocks: FencedBlock[] = [];
  let before = '';
  for (let index = 0; index < lines.length; index++) {
    const language = /^```(\w*)$/.exec(lines[index]!)?.[1];
    if (language !== undefined) {
      const end = lines.indexOf('```', index + 1);
      blocks.push({ language, line: index + 2, lines: lines.slice(index + 1, end), before });
      index = end;
    }
    if (lines[index] !== '') before = lines[index]!;
  }
  return blocks;
}

/** `…` stands for anything, `<word>` for one word. */
function toPattern(text: string): RegExp {
  const parts = normalise(text)
    .split(/(…|<\w+>)/)
    .map((part) => (part === '…' ? '.*' : /^<\w+>$/.test(part) ? '[\\w.-]+' : escape(part)));
  return new RegExp(`^${parts.join('')}$`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function normalise(line: string): string {
  return line.trim().replace(/\s+/g, ' ');
}
