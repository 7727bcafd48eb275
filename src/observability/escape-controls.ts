// DEL and C1 controls, line and paragraph separators, direction marks and overrides, the byte order mark.
const CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Escapes, in a line of JSON, the characters that JSON leaves alone and that move a terminal's cursor or reading direction.
 * The line stays the same JSON value. C0 controls inside strings are escaped by JSON itself.
 */
export function escapeControls(line: string): string {
  return line.replace(CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
