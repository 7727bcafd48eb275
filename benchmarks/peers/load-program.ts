import { type LoadSummary, runLoad } from '../serving/run-load.js';
import { type ClosedLoopResult, runClosedLoop } from './closed-loop.js';

// The generator, a process of its own: it is sent tasks, and answers each with what it came to.

/** Requests of these users, as a closed loop or as an open one. */
export interface LoadTask {
  readonly url: string;
  readonly userIds: readonly string[];
  readonly seed: number;
  readonly seconds: number;
  readonly loop: { readonly connections: number } | { readonly rate: number };
}

export interface OpenLoopResult extends LoadSummary {
  /** Requests per second that were meant. */
  readonly rate: number;
  /** 99th percentile of how late the generator sent. */
  readonly lateP99Ms: number;
}

process.on('message', (task: LoadTask) => void run(task).then((result) => process.send!(result)));

async function run({ url, loop, ...load }: LoadTask): Promise<ClosedLoopResult | OpenLoopResult> {
  if ('connections' in loop) return runClosedLoop(new URL(url), { ...load, ...loop });
  const { stages, late } = await runLoad(new URL(url), [{ ...loop, seconds: load.seconds }], load);
  return { ...stages[0]!, ...loop, lateP99Ms: late!.p99 };
}
