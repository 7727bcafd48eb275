import { alignColumns } from '../../report/align-columns.js';
import { formatCount, formatDifference, formatEstimate } from '../../report/figure-format.js';
import type { PairedDifference } from '../../protocol/paired-bootstrap.js';
import type { ReplayArm } from './replay-split.js';
import type { ReplayFigures } from './summarise-replay.js';

/** The events that an arm is told of, in the words of the tables. */
const PUSHED: Readonly<Record<ReplayArm, string>> = {
  frozen: 'nothing (frozen)',
  live: 'their own (live)',
  control: 'another user’s (control)',
};

/** The table that `shortlist evaluate --replay` prints, in Markdown, without a final newline. */
export function renderReplayTable(replay: ReplayFigures, k: number): string {
  const table = alignColumns(listReplayRows(replay, k));
  return [describeReplay(replay), '', ...table, '', `- ${describeLead(replay)}`].join('\n');
}

/** Whom a replay asked and what the limits left out, in one sentence. */
export function describeReplay({ limits, walks, events, leftOut, asks }: ReplayFigures): string {
  return (
    `Replay: ${formatCount(walks)} walks of a user through ${formatCount(events)} events, at most ${formatCount(limits.users)} users ` +
    `of each split and ${formatCount(limits.events)} events of each (left out: ${formatCount(leftOut.walks)} users, ` +
    `${formatCount(leftOut.events)} events); ${formatCount(asks)} questions for an item that is new to the user.`
  );
}

/** The figures of each arm, below a head. */
export function listReplayRows({ arms }: ReplayFigures, k: number): string[][] {
  const confidence = Math.round(100 * arms[0]!.over.mrr.confidence);
  const interval = `${confidence} % interval`;
  const head = ['pushed', `HR@${k} ± se`, 'over frozen', interval, `MRR@${k} ± se`, 'over frozen', interval];
  return [
    head,
    ...arms.map(({ arm, hitRate, mrr, over }) => [
      PUSHED[arm],
      formatEstimate(hitRate),
      ...(arm === 'frozen' ? ['', ''] : describeDifference(over.hitRate)),
      formatEstimate(mrr),
      ...(arm === 'frozen' ? ['', ''] : describeDifference(over.mrr)),
    ]),
  ];
}

/** What the intervals allow to say. */
export function describeLead({ arms }: ReplayFigures): string {
  const [live, control] = (['live', 'control'] as const).map((name) => {
    const { over } = arms.find(({ arm }) => arm === name)!;
    return [over.hitRate, over.mrr];
  });
  const leads = live!.every(({ low }) => low > 0);
  const helps = control!.some(({ low }) => low > 0);
  return (
    `Live ${leads ? 'is above' : 'cannot be told to be above'} frozen; the control ` +
    `${helps ? 'is above it too, so the lead is not of the user’s own events alone' : 'is not, as it should be'}.`
  );
}

function describeDifference({ difference, low, high }: PairedDifference): string[] {
  return [formatDifference(difference), `${formatDifference(low)} to ${formatDifference(high)}`];
}
