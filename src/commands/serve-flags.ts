import { Option } from 'commander';
import type { SettingFlag } from '../config/load-settings.js';
import { parseCount } from './parse-count.js';

/** Options of `serve` that go over settings; `config` takes them too, to show what they do. */
export interface ServeOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly adminHost?: string | undefined;
  readonly adminPort?: number | undefined;
  readonly workers?: number | undefined;
  readonly processes?: number | undefined;
}

/** The options of `serve` that go over settings, in the order in which help lists them. */
export function createServeOptions(): Option[] {
  return [
    new Option('--host <address>', 'address of the public listener; by default what HOST says'),
    createPortOption(
      '--port <port>',
      'port of the public listener, 0 for any free one; by default what PORT says',
    ),
    new Option('--admin-host <address>', 'address of the admin listener; by default what ADMIN_HOST says'),
    createPortOption(
      '--admin-port <port>',
      'port of the admin listener, 0 for any free one; by default what ADMIN_PORT says',
    ),
    createWorkersOption(),
    createProcessesOption(),
  ];
}

function createPortOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseCount({ from: 0, to: 65_535 }));
}

function createWorkersOption(): Option {
  return new Option(
    '--workers <threads>',
    'threads that compute in each process; 0 is one for each core, shared among the processes; by default what compute.workers says',
  ).argParser(parseCount({ from: 0, to: 256 }));
}

function createProcessesOption(): Option {
  return new Option(
    '--processes <count>',
    'server processes behind the listener, kept running by a supervisor; by default what supervisor.processes says',
  ).argParser(parseCount({ from: 0, to: 256 }));
}

/** The settings that the given options set. */
export function listFlags({
  host,
  port,
  adminHost,
  adminPort,
  workers,
  processes,
}: ServeOptions): SettingFlag[] {
  const flags: SettingFlag[] = [
    { flag: '--host', group: 'server', key: 'host', value: host },
    { flag: '--port', group: 'server', key: 'port', value: port },
    { flag: '--admin-host', group: 'server', key: 'adminHost', value: adminHost },
    { flag: '--admin-port', group: 'server', key: 'adminPort', value: adminPort },
    { flag: '--workers', group: 'compute', key: 'workers', value: workers },
    { flag: '--processes', group: 'supervisor', key: 'processes', value: processes },
  ];
  return flags.filter(({ value }) => value !== undefined);
}
