import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a program (`--import`): sends its process a signal right before the change of the disk that STOP_AT counts to. Files are
// written under hidden names first: what others see are renames, removals and lines that are appended.

const stopAt = Number(process.env['STOP_AT']);
const signal = process.env['STOP_WITH'] as NodeJS.Signals;
let changes = 0;

function stopBefore(name: 'rename' | 'rm' | 'rmdir' | 'open'): void {
  const original = promises[name] as (...args: unknown[]) => Promise<unknown>;
  const stopping = (...args: unknown[]): Promise<unknown> => {
    const isChange = name !== 'open' || String(args[1]).startsWith('a');
    if (isChange && ++changes === stopAt) process.kill(process.pid, signal);
    return original(...args);
  };
  Object.assign(promises, { [name]: stopping });
}

for (const name of ['rename', 'rm', 'rmdir', 'open'] as const) stopBefore(name);
syncBuiltinESMExports();
