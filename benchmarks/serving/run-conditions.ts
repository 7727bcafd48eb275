import { cpus, loadavg, totalmem } from 'node:os';
import { findGitCommit } from '../../src/commands/find-git-commit.js';

/** Where and when a run measured. */
export interface RunConditions {
  readonly machine: { readonly processor: string; readonly cores: number; readonly megabytes: number };
  readonly node: string;
  readonly commit: string | undefined;
  readonly createdAt: string;
  /** Of the machine before the run, over a minute: anything above a few tenths is somebody else's work, and in the figures. */
  readonly loadAverage: number;
}

/** To be asked before anything is measured. */
export async function readConditions(): Promise<RunConditions> {
  return {
    machine: {
      processor: cpus()[0]!.model,
      cores: cpus().length,
      megabytes: Math.round(totalmem() / 1e6),
    },
    node: process.version,
    commit: await findGitCommit(process.cwd()),
    createdAt: new Date().toISOString(),
    loadAverage: loadavg()[0]!,
  };
}

/** The conditions in a line of text. */
export function renderConditions({ machine, node, commit, createdAt, loadAverage }: RunConditions): string {
  return `${createdAt}, commit ${commit ?? 'unknown'}, Node ${node}, ${machine.cores} × ${machine.processor}, ${machine.megabytes} MB, load average ${loadAverage.toFixed(1)} before`;
}
