/** Text that is safe to put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = string | number | Html | readonly Html[];

/** A template whose interpolated texts are escaped; only `Html` goes in as it is. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  const parts = contents.map((content, position) => `${toText(content)}${strings[position + 1]!}`);
  return new Html(strings[0]! + parts.join(''));
}

function toText(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content === 'object') return content.map(({ text }) => text).join('');
  return escapeHtml(String(content));
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
