import { compactImpressions } from '../../../../src/offline/feedback/impressions/compact-impressions.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

/** A process that compacts a log. */
const [folder, outDir] = process.argv.slice(2) as [string, string];
await compactImpressions(folder, {
  outDir,
  abandonedBefore: Date.parse('2026-01-03T00:00:00Z'),
  forgotten: NOBODY_FORGOTTEN,
  progress: SILENT_PROGRESS,
});
