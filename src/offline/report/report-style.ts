import { Html } from './html.js';

/** The dress of every report: light, or dark where the reader's system is, and plain on paper. */
export const REPORT_STYLE = new Html(`
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --muted: #5d6878; --grid: #e3e7ec; --edge: #dfe3e9;
  --baseline: #9aa5b4; --source: #4a7fb5; --fusion: #8a6fb8; --two-stage: #d9722e; --code: #eef1f5;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --ink: #e7ebf0; --muted: #9aa6b5; --grid: #2c3541; --edge: #2a323d;
    --baseline: #6f7c8d; --source: #6ea3d8; --fusion: #ab91dc; --two-stage: #ee9350; --code: #242c37;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 30px; line-height: 1.22; margin: 6px 0 12px; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 19px; line-height: 1.3; margin: 0 0 4px; }
p { margin: 0 0 12px; }
.eyebrow, .note, figcaption, summary, dd { color: var(--muted); }
.eyebrow, .note, summary { font-size: 14px; }
.lead { font-size: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(185px, 1fr)); gap: 12px; margin: 24px 0; padding: 0; list-style: none; }
.tiles li, section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
.tiles li { padding: 14px 16px; }
.tiles strong { display: block; font-size: 26px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles span { display: block; font-size: 14px; line-height: 1.4; color: var(--muted); }
section { padding: 22px 24px; margin: 0 0 16px; }
figure { margin: 0; }
figcaption { margin: 0 0 14px; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 560px; height: auto; }
details { margin-top: 10px; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 0 6px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--edge); }
th { font-weight: 600; color: var(--muted); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font-size: 14px; margin: 14px 0 0; }
dt { font-weight: 600; } dd { margin: 0; }
ul { margin: 0; padding-left: 20px; } ul.tiles { padding: 0; }
code { background: var(--code); border-radius: 5px; padding: 2px 6px; font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 560px) { main { padding-top: 24px; } h1 { font-size: 24px; } section { padding: 18px 16px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print {
  body { background: none; font-size: 13px; } main { padding: 0; } section { padding: 12px 0; border: 0; } table { font-size: 10px; } th, td { padding-left: 6px; }
  section, .tiles li, tr { break-inside: avoid; } details { display: none; } .scroll { overflow: visible; } svg { min-width: 0; }
}
`);
