import type { Manifest } from './manifest.js';

/** Whether a bundle comes of `shortlist train --profile quick`: `training.profile` of its manifest. */
export function isQuickTraining({ training }: Pick<Manifest, 'training'>): boolean {
  return training['profile'] === 'quick';
}
