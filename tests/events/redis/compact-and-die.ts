import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../support/nobody-forgotten.js';
import { patient } from '../../support/redis-view.js';

// A process that compacts events of Redis and kills itself before the step that DIE_AT counts to: each packet to Redis, each file that is put
// in its place, and what comes after the last one is a step. Where there are fewer it says how many there are.
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
const { write } = Socket.prototype;
Socket.prototype.write = function (this: Socket, ...args: Parameters<typeof write>): boolean {
  if (this.remotePort !== undefined) step();
  return write.apply(this, args);
} as typeof write;

const { compactEvents } = await import('../../../src/offline/feedback/events/compact-events.js');
const { openRedisCompactionLog } = await import('../../../src/events/redis/redis-compaction-log.js');

const [url, keyPrefix, outDir] = process.argv.slice(2) as [string, string, string];
const redis = { ...patient(url), keyPrefix };
await compactEvents({
  open: () => openRedisCompactionLog({ redis, durability: 'required', syncTimeoutMs: 4000 }),
  outDir,
  before: { time: 0, keptAt: 0 },
  forgotten: NOBODY_FORGOTTEN,
  progress: SILENT_PROGRESS,
});
step();
process.stdout.write(`${steps}\n`);
