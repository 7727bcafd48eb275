import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import type { ComputeMetrics } from '../../observability/metrics/compute-metrics.js';
import type { RankerGuard } from '../../ranking/guarded-ranker.js';
import type { ComputePoolOptions } from './compute-pool.js';
import type { Quarantine } from './quarantine.js';

/** The computing threads of one bundle. */
export interface ThreadOptions extends Omit<ComputePoolOptions, 'clock' | 'observer'> {
  /** Without it the ranker is always run, however slow it is. */
  readonly rankerGuard?: RankerGuard | undefined;
  /** The threads let others go first on the processor. */
  readonly isBackground?: boolean;
}

/** The threads that `compute` of the settings asks for. One that hangs, or cannot be replaced for too long, ends the process. */
export function createThreadOptions(
  settings: Settings,
  {
    logger,
    metrics,
    quarantine,
  }: { logger: Logger; metrics: ComputeMetrics; quarantine: Quarantine | undefined },
): ThreadOptions {
  const { compute } = settings;
  // Nobody catches it: the process drains and ends.
  const end = (error: Error): never => {
    throw error;
  };
  return {
    workers: countThreads(settings),
    maxBatch: compute.maxBatch,
    maxWaiting: compute.maxWaiting,
    minDepth: compute.minDepth,
    rankerGuard: {
      budgetMs: compute.rankerBudgetShare * compute.deadlineMs,
      probeAfterMs: compute.rankerProbeAfterMs,
    },
    onBatch: (batch) => metrics.observeBatch(batch),
    onAnswered: (times) => metrics.observeBatchTimes(times),
    onLost: (err) => {
      metrics.countLostThread();
      logger.error({ err }, 'a computing thread was lost');
    },
    onThreads: (change) => metrics.changeThreads(change),
    quarantine,
    watch: { hangMs: compute.hangMs, onHung: end },
    desertion: { afterMs: compute.desertedMs, onDeserted: end },
  };
}

/** As many as the settings say, or else this process's share of the cores. */
function countThreads({ compute, supervisor }: Settings): number {
  return (
    compute.workers || Math.max(1, Math.floor(availableParallelism() / Math.max(1, supervisor.processes)))
  );
}
