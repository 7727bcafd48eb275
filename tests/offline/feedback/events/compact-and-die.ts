import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { CompactionRange } from '../../../../src/events/local/compaction-log.js';
import type { EventsToCompact } from '../../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

// A process that compacts events and kills itself before the step that DIE_AT counts to: each call of the store, and each file that is put in its
// place, is one, and what comes after the last one. Where there are fewer it says how many there are.
const dieAt = Number(process.env['DIE_AT']);
let steps = 0;
const step = (): void => {
  if (++steps === dieAt) process.kill(process.pid, 'SIGKILL');
};

const { rename } = promises;
Object.assign(promises, {
  rename: (from: string, to: string) => {
    if (to.endsWith('.parquet')) step();
    return rename(from, to);
  },
});
syncBuiltinESMExports();
const { compactEvents } = await import('../../../../src/offline/feedback/events/compact-events.js');
const { openCompactionLog } = await import('../../../../src/events/local/compaction-log.js');

const [folder, outDir, time, keptAt] = process.argv.slice(2) as [string, string, string, string];

function open(): EventsToCompact<CompactionRange> {
  const log = openCompactionLog(folder);
  return {
    locks: log.locks,
    begin: () => stepped(() => log.begin()),
    read: (range) => stepped(() => log.read(range)),
    finish: (range) => stepped(() => log.finish(range)),
    prune: (before) => stepped(() => log.prune(before)),
    removeUser: (events) => stepped(() => log.removeUser(events)),
    close: () => stepped(() => log.close()),
  };
}

function stepped<T>(run: () => T): T {
  step();
  return run();
}

await compactEvents({
  open,
  outDir,
  before: { time: Number(time), keptAt: Number(keptAt) },
  forgotten: NOBODY_FORGOTTEN,
  progress: SILENT_PROGRESS,
});
step();
process.stdout.write(`${steps}\n`);
