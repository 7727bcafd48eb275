import { html, type Html } from './html.js';
import { REPORT_STYLE } from './report-style.js';

/** A plot of a report with what it means, in one or two sentences, and its numbers as text. */
export interface ReportFigure {
  readonly title: string;
  readonly meaning: string;
  readonly drawing: Html;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A self-contained HTML page in the common report style, without scripts or requests. */
export function renderReportPage(title: string, parts: readonly Html[]): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${REPORT_STYLE}
        </style>
      </head>
      <body>
        <main>${parts}</main>
      </body>
    </html> `;
  return page.text;
}

/** A figure as a section: the plot, and its numbers behind a click. */
export function renderFigure({ title, meaning, drawing, head, rows }: ReportFigure): Html {
  return html`<section>
    <figure>
      <h2>${title}</h2>
      <figcaption>${meaning}</figcaption>
      <div class="scroll" role="img" tabindex="0" aria-label="Plot: ${title} ${meaning}">${drawing}</div>
    </figure>
    <details>
      <summary>The numbers</summary>
      <div class="scroll">${renderTable(head, rows)}</div>
    </details>
  </section>`;
}

/** The figures that a reader meets first, each with what it means. */
export function renderTiles(tiles: readonly (readonly [string, string])[]): Html {
  return html`<ul class="tiles">
    ${tiles.map(([figure, meaning]) => html`<li><strong>${figure}</strong><span>${meaning}</span></li>`)}
  </ul>`;
}

/** An HTML table with one row per list of cells. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}
