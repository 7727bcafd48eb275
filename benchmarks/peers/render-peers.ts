import { readFile } from 'node:fs/promises';
import { plotCurves } from '../plot-curves.js';
import { formatMs, table, tableOfGoals, title } from '../serving/render-tables.js';
import { renderConditions, type RunConditions } from '../serving/run-conditions.js';
import { compareAnswers, type Figure, judgePeers, listClosed, listOpen } from './compare-peers.js';
import { PEERS, type Round } from './measure-peers.js';

/** What one or more runs measured; conditions are those of the first. */
export interface PeersResult extends RunConditions {
  readonly size: { readonly items: number; readonly users: number; readonly workers: number };
  /** Of a closed loop; an open one takes twice that. */
  readonly seconds: number;
  /** Of Python and its packages, and of other generators. */
  readonly versions: readonly string[];
  readonly rounds: readonly Round[];
}

/** Figures that are not of this run. */
export interface MeasuredElsewhere {
  readonly conditions: string;
  readonly rows: readonly {
    readonly name: string;
    /** By connections of a closed loop. */
    readonly perSecond: Readonly<Record<string, number>>;
    /** By rate and percentile: `100/s p50`. */
    readonly latencyMs: Readonly<Record<string, number>>;
  }[];
}

/** What was measured of Gorse, whose binary no package registry has. */
export async function readGorse(): Promise<MeasuredElsewhere> {
  return JSON.parse(await readFile('benchmarks/peers/gorse.json', 'utf8')) as MeasuredElsewhere;
}

/** The result as Markdown. */
export function renderPeers(result: PeersResult, elsewhere: MeasuredElsewhere): string {
  const { size, seconds, versions, rounds } = result;
  const { users, sharedItems, sameAnswers } = compareAnswers(rounds[0]!);
  return [
    renderConditions(result),
    versions.join(', '),
    `${size.items.toLocaleString('en')} items × 64, ${size.users.toLocaleString('en')} users, ${size.workers} computing threads of Shortlist, 2 processes of uvicorn; rounds: ${rounds.length}, medians; closed loops of ${seconds} s, open ones of ${2 * seconds} s`,
    title('Our generator'),
    renderTable({ closed: listClosed(rounds, 'closed'), open: listOpen(rounds, 'open') }, elsewhere),
    `\\* Not of this run: ${elsewhere.conditions}.`,
    title('wrk (closed loop) and vegeta (open loop)'),
    renderTable({ closed: listClosed(rounds, 'otherClosed'), open: listOpen(rounds, 'otherOpen') }),
    `Of closed loops: answers per second by connections. Of open loops: milliseconds by requests per second, ours from the intended time. Answers that were not good: ${countBad(rounds)}.`,
    title('Answers'),
    `Of the 10 items that Shortlist answers with, the Python service has ${sharedItems.toFixed(1)} on average of ${users} users; ${sameAnswers} answers are the same in the same order.`,
    title('Goals'),
    tableOfGoals(judgePeers(rounds)),
  ].join('\n');
}

/** Answers per second by connections, as an image of its own. */
export function plotPeers({ rounds }: PeersResult): string {
  const closed = listClosed(rounds, 'closed');
  return plotCurves({
    x: 'connections',
    y: 'answers per second',
    byPowers: true,
    lines: PEERS.map((name) => ({
      name,
      points: closed.map(({ what, values }) => ({
        x: Number(what),
        y: values[name]!,
        label: values[name]!.toFixed(0),
      })),
    })),
  });
}

function renderTable(
  { closed, open }: { closed: readonly Figure[]; open: readonly Figure[] },
  elsewhere?: MeasuredElsewhere,
): string {
  const rate = (value: number | null | undefined): string => value?.toFixed(0) ?? '–';
  const latency = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : formatMs(value);
  return table(
    ['', ...closed.map(({ what }) => `${what} conn.`), ...open.map(({ what }) => what)],
    [
      ...PEERS.map((peer) => [
        peer,
        ...closed.map(({ values }) => rate(values[peer])),
        ...open.map(({ values }) => latency(values[peer])),
      ]),
      ...(elsewhere?.rows ?? []).map(({ name, perSecond, latencyMs }) => [
        `${name} \\*`,
        ...closed.map(({ what }) => rate(perSecond[what])),
        ...open.map(({ what }) => latency(latencyMs[what])),
      ]),
    ],
  );
}

/** All that was not answered well, whoever asked. */
function countBad(rounds: readonly Round[]): string {
  return PEERS.map((peer) => {
    const turns = rounds.map((round) => round[peer]);
    const closed = turns.flatMap((turn) => [...turn.closed, ...turn.otherClosed]);
    const open = turns.flatMap((turn) => turn.open);
    const bad =
      closed.reduce((sum, { notGood }) => sum + notGood, 0) +
      open.reduce((sum, { counts }) => sum + counts.degraded + counts.refused + counts.failed, 0);
    return `${peer} ${bad}`;
  }).join(', ');
}
