import { InvalidArgumentError, Option } from 'commander';
import type { SettingFlag } from '../config/load-settings.js';

/** Options of `serve` that go over settings; `config` takes them too, to show what they do. */
export interface WorkersOption {
  readonly workers?: number | undefined;
}

export function createWorkersOption(): Option {
  return new Option(
    '--workers <threads>',
    'threads that compute; 0 is one for each core; by default what compute.workers says',
  ).argParser(parseWorkers);
}

/** What the given options set. */
export function listFlags({ workers }: WorkersOption): SettingFlag[] {
  return workers === undefined
    ? []
    : [{ flag: '--workers', group: 'compute', key: 'workers', value: workers }];
}

function parseWorkers(text: string): number {
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers <= 256) return workers;
  throw new InvalidArgumentError('Allowed is an integer from 0 to 256.');
}
