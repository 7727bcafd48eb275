import { compactImpressions } from '../../../../src/offline/feedback/impressions/compact-impressions.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

/** A process that is killed in the middle of a compaction, when the first day is done. */
const [folder, outDir] = process.argv.slice(2) as [string, string];
const die = (): void => void process.kill(process.pid, 'SIGKILL');
await compactImpressions(folder, {
  outDir,
  abandonedBefore: Date.parse('2026-01-03T00:00:00Z'),
  forgotten: NOBODY_FORGOTTEN,
  progress: { start: () => ({ advance: die, finish: () => undefined }) },
});
