import { Option } from 'commander';
import type { SettingFlag } from '../config/load-settings.js';
import { parseCount } from './parse-count.js';

/** Options of `serve` that go over settings; `config` takes them too, to show what they do. */
export interface ServeOptions {
  readonly workers?: number | undefined;
  readonly processes?: number | undefined;
}

export function createWorkersOption(): Option {
  return new Option(
    '--workers <threads>',
    'threads that compute in each process; 0 is one for each core, shared among the processes; by default what compute.workers says',
  ).argParser(parseCount({ from: 0, to: 256 }));
}

export function createProcessesOption(): Option {
  return new Option(
    '--processes <count>',
    'server processes behind the listener, kept running by a supervisor; by default what supervisor.processes says',
  ).argParser(parseCount({ from: 0, to: 256 }));
}

/** What the given options set. */
export function listFlags({ workers, processes }: ServeOptions): SettingFlag[] {
  const flags: SettingFlag[] = [
    { flag: '--workers', group: 'compute', key: 'workers', value: workers },
    { flag: '--processes', group: 'supervisor', key: 'processes', value: processes },
  ];
  return flags.filter(({ value }) => value !== undefined);
}
