import { formatCount, formatDifference, formatScore } from '../../report/figure-format.js';
import type { SearchSummary } from '../bundle/search-summary.js';
import type { Trial } from './trial-log.js';
import type { TrialValues } from './tuned-parameters.js';

/** The result of a trial, in a line. */
export function describeTrial({ trial, ndcg, values, ...gain }: Trial, k: number): string {
  const figure = `nDCG@${k} ${formatScore(ndcg)}`;
  return trial === 0 ? figure : `${figure}, ${formatGain(gain)}: ${formatValues(values)}`;
}

/** The findings and the choice of a search, in a few sentences. */
export function describeSearch({ trials, judged, k, config, ...search }: SearchSummary): string {
  const { best, chosen, errorsNeeded } = search;
  const asked = `judged by ${formatCount(judged.queries)} queries of ${formatCount(judged.users)} users inside the train part`;
  const made = `${formatCount(trials)} ${trials === 1 ? 'trial' : 'trials'}, ${asked}; the config as it is has nDCG@${k} ${formatScore(config.ndcg)}.`;
  const needed = `the ${errorsNeeded.toFixed(1)} standard errors that chance may make of so many`;
  if (chosen.trial > 0) {
    return (
      `${made} Trial ${chosen.trial} has ${formatScore(chosen.ndcg)}, ${formatGain(chosen)}, which is more than ${needed}: ` +
      `${formatValues(chosen.values)}.`
    );
  }
  if (trials === 1) return `${made} There was no other trial to compare it with, so it stays.`;
  if (best.trial === 0) return `${made} No trial has more, so the config stays as it is.`;
  return (
    `${made} The best, trial ${best.trial}, has ${formatScore(best.ndcg)}, ${formatGain(best)}, which is not more than ${needed}: ` +
    'the config stays as it is.'
  );
}

/** 95,000 ms → `95 s`, 600,000 ms → `10 min`. */
export function formatTime(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${formatCount(seconds / 60)} min`;
}

function formatGain({ difference, standardError }: Pick<Trial, 'difference' | 'standardError'>): string {
  return `${formatDifference(difference)} ± ${formatScore(standardError)}`;
}

function formatValues(values: TrialValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
