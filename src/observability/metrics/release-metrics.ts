import { Counter, Gauge, type Registry } from 'prom-client';

import type { TrialRelease } from '../../domain/release.js';

/** The canary and the shadow beside the stable bundle. */
export interface ReleaseMetrics {
  /** Shows whether what the channel of a trial points at is tried; undefined where there is nothing to be tried. */
  showTrial(release: TrialRelease, up: boolean | undefined): void;
  /** Counts a request to a trial by what became of it. */
  countTrialRequest(release: TrialRelease, outcome: 'answered' | 'failed' | 'dropped'): void;
}

/** Creates the metrics of canary and shadow, registered with all of `registers`. */
export function createReleaseMetrics(registers: Registry[]): ReleaseMetrics {
  const trialUp = new Gauge({
    name: 'shortlist_trial_up',
    help: '1 while what the channel of the canary or shadow points at is tried, 0 while it is being opened or was refused; absent where there is none.',
    labelNames: ['release'],
    registers,
  });
  const trialRequests = new Counter({
    name: 'shortlist_trial_requests_total',
    help: 'Requests to the canary or shadow: answered, failed (the stable bundle answers in place of a canary), or dropped because a shadow has no room.',
    labelNames: ['release', 'outcome'],
    registers,
  });
  return {
    showTrial: (release, up) => {
      if (up === undefined) trialUp.remove({ release });
      else trialUp.set({ release }, up ? 1 : 0);
    },
    countTrialRequest: (release, outcome) => trialRequests.inc({ release, outcome }),
  };
}
