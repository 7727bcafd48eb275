import { formatCount, formatShare } from '../offline/report/figure-format.js';
import { html, type Html } from '../offline/report/html.js';
import {
  renderFigure,
  renderReportPage,
  renderTable,
  renderTiles,
  type ReportFigure,
} from '../offline/report/report-page.js';
import type { FigureRatio } from './compare-results.js';
import {
  drawLatency,
  drawOutcomes,
  drawPercentiles,
  drawRates,
  drawServerStages,
} from './load-test-charts.js';
import {
  describeVerdict,
  formatLimit,
  formatMs,
  formatRate,
  listRequestFigures,
} from './load-test-format.js';
import type { LoadTestResult } from './load-test-result.js';

const HOW_TO_READ = [
  'An open loop: requests are sent at times that were fixed before, whatever becomes of those before them, as independent people do. Latency counts from the intended time, so waiting in front of a slow target counts.',
  'Latency is of good answers and of time-outs. Other failures end early and would flatter the target; they stand under failures.',
  'The generator’s own lateness is within the latency; where it is near the latency itself, look at the row “once sent”, and give the generator a machine of its own.',
  'Stage times come from the histograms of the server, so their percentiles are only as fine as its buckets.',
];

/** One self-contained HTML page about a load test: the verdict in words, plots with their numbers, no scripts, no requests. */
export function renderLoadTestReport(result: LoadTestResult, comparison?: readonly FigureRatio[]): string {
  return renderReportPage(`Load test ${result.profile.name} of ${result.target}`, [
    renderSummary(result),
    ...(result.thresholds.length === 0 ? [] : [renderThresholds(result)]),
    ...(comparison === undefined ? [] : [renderComparison(comparison)]),
    ...listFigures(result).map(renderFigure),
    ...(result.failures.length === 0 ? [] : [renderFailures(result)]),
    renderReading(),
    renderRun(result),
  ]);
}

function renderSummary(result: LoadTestResult): Html {
  const { profile, createdAt, latencyMs, requests } = result;
  return html`<header>
    <p class="eyebrow">Shortlist load test · ${profile.name} · ${createdAt.slice(0, 10)}</p>
    <h1>${describeVerdict(result)}</h1>
    <p class="lead">${profile.description}</p>
    ${renderTiles([
      [formatRate(requests.goodRate), `good answers, of ${formatRate(requests.intendedRate)} asked for`],
      [latencyMs === null ? '–' : formatMs(latencyMs.p50), 'half of the requests were answered within'],
      [latencyMs === null ? '–' : formatMs(latencyMs.p99), '99 of 100 requests were answered within'],
      [formatShare(requests.errorShare), `of ${formatCount(requests.intended)} requests failed`],
    ])}
  </header>`;
}

function renderThresholds({ thresholds }: LoadTestResult): Html {
  const rows = thresholds.map(({ name, limit, value, passed }) => [
    name,
    formatLimit(name, limit),
    formatLimit(name, value),
    passed ? 'ok' : 'failed',
  ]);
  return html`<section>
    <h2>Thresholds</h2>
    <div class="scroll">${renderTable(['threshold', 'allowed', 'found', ''], rows)}</div>
  </section>`;
}

function renderComparison(comparison: readonly FigureRatio[]): Html {
  const show = (figure: number | null): string =>
    figure === null ? '–' : String(Number(figure.toPrecision(4)));
  const rows = comparison.map(({ name, before, now, ratio }) => [
    name,
    show(before),
    show(now),
    ratio === null ? '–' : `× ${ratio.toFixed(2)}`,
  ]);
  return html`<section>
    <h2>Compared with the run before</h2>
    <div class="scroll">${renderTable(['figure', 'before', 'now', 'ratio'], rows)}</div>
  </section>`;
}

function listFigures(result: LoadTestResult): ReportFigure[] {
  const { server } = result;
  return [
    latencyFigure(result),
    ratesFigure(result),
    ...(result.latencyMs === null ? [] : [percentilesFigure(result)]),
    outcomesFigure(result),
    ...(server === null || server.restarted || server.stages.length === 0
      ? []
      : [serverFigure(server.stages)]),
  ];
}

function latencyFigure(result: LoadTestResult): ReportFigure {
  return {
    title: 'How long did people wait, over the run?',
    meaning:
      `By the intended time of the requests, in steps of ${result.windowSeconds} s. Blue: half of them were faster; ` +
      'orange: 99 of 100 were; grey: the slowest. The axis is logarithmic.',
    drawing: drawLatency(result),
    head: ['second', 'intended', 'sent', 'p50', 'p99', 'max'],
    rows: result.windows.map(({ second, intendedRate, sent, p50Ms, p99Ms, maxMs }) => [
      String(second),
      formatRate(intendedRate),
      formatCount(sent),
      ...[p50Ms, p99Ms, maxMs].map(formatMs),
    ]),
  };
}

function ratesFigure(result: LoadTestResult): ReportFigure {
  return {
    title: 'What was asked, and what came back?',
    meaning: 'Requests per second. Grey: as intended; blue: good answers; orange: failures.',
    drawing: drawRates(result),
    head: ['second', 'intended', 'sent', 'failed', 'degraded'],
    rows: result.windows.map(({ second, intendedRate, sent, failed, degraded }) => [
      String(second),
      formatRate(intendedRate),
      ...[sent, failed, degraded].map(formatCount),
    ]),
  };
}

function percentilesFigure(result: LoadTestResult): ReportFigure {
  const { p50, p90, p95, p99, p999, max } = result.latencyMs!;
  return {
    title: 'How slow are the slow ones?',
    meaning: 'The latency that so many of 100 requests stayed within. The axis is logarithmic.',
    drawing: drawPercentiles(result),
    head: ['of 100', 'latency'],
    rows: [
      ['50', formatMs(p50)],
      ['90', formatMs(p90)],
      ['95', formatMs(p95)],
      ['99', formatMs(p99)],
      ['99.9', formatMs(p999)],
      ['all', formatMs(max)],
    ],
  };
}

function outcomesFigure(result: LoadTestResult): ReportFigure {
  return {
    title: 'What did the requests come to?',
    meaning: 'By status, and by kind of failure where there was no answer or a wrong one.',
    drawing: drawOutcomes(result),
    head: ['', 'requests'],
    rows: listRequestFigures(result),
  };
}

function serverFigure(stages: NonNullable<LoadTestResult['server']>['stages']): ReportFigure {
  return {
    title: 'Where does the server spend its time?',
    meaning:
      'Per stage of the pipeline, from the server’s own histograms. Blue: mean; orange: 99 of 100 took less, about.',
    drawing: drawServerStages(stages),
    head: ['stage', 'count', 'not ok', 'mean', 'p99'],
    rows: stages.map(({ stage, count, notOk, meanMs, p99Ms }) => [
      stage,
      formatCount(count),
      formatCount(notOk),
      formatMs(meanMs),
      formatMs(p99Ms),
    ]),
  };
}

function renderFailures({ failures }: LoadTestResult): Html {
  return html`<section>
    <h2>Failures</h2>
    ${failures.map(
      ({ kind, count, examples }) =>
        html`<p>${formatCount(count)} × ${kind}</p>
          <ul>
            ${examples.map((example) => html`<li><code>${example}</code></li>`)}
          </ul>`,
    )}
  </section>`;
}

function renderReading(): Html {
  return html`<section>
    <h2>How to read this</h2>
    <ul>
      ${HOW_TO_READ.map((line) => html`<li>${line}</li>`)}
    </ul>
  </section>`;
}

function renderRun({ target, bundle, createdAt, profile, generator, command }: LoadTestResult): Html {
  const late = generator.latenessMs;
  const facts = [
    ['target', `${target}${bundle === null ? '' : `, bundle ${bundle}`}`],
    ['made', `${createdAt}, seed ${profile.seed}`],
    [
      'generator',
      late === null
        ? 'sent nothing'
        : `late by ${formatMs(late.p50)} at half, ${formatMs(late.p99)} at 99 of 100`,
    ],
  ] as const;
  return html`<section>
    <h2>This run</h2>
    <dl>
      ${facts.map(
        ([term, fact]) =>
          html`<dt>${term}</dt>
            <dd>${fact}</dd>`,
      )}
      <dt>command</dt>
      <dd><code>${command}</code></dd>
    </dl>
  </section>`;
}
