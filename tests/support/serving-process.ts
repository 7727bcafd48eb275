import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import type { Settings } from '../../src/config/settings.js';

type Changes = { readonly [Group in keyof Settings]?: Partial<Settings[Group]> };

export interface ServingProcess {
  readonly child: ChildProcess;
  /** Of the public listener; rejects with what it said when the process ends before it serves. */
  readonly url: Promise<string>;
  /** Exit code and signal, once all that it said is there. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly errors: () => string;
  readonly log: () => Record<string, unknown>[];
}

/** Starts `shortlist serve` on free ports over the staging channel of a registry; killed when the test ends. */
export async function startServingProcess(
  t: Test,
  registry: string,
  options: {
    changes?: Changes | undefined;
    args?: readonly string[];
    env?: NodeJS.ProcessEnv;
  } = {},
): Promise<ServingProcess> {
  const { changes = {}, args = [], env = {} } = options;
  const configs = await mkdtemp(join(tmpdir(), 'shortlist-configs-'));
  t.teardown(() => rm(configs, { recursive: true }));
  await cp('configs', configs, { recursive: true });
  const file = join(configs, 'default.yaml');
  const shipped = parse(await readFile(file, 'utf8')) as Settings;
  const groups = Object.entries(shipped).map(([group, values]) => [
    group,
    { ...values, ...changes[group as keyof Settings] },
  ]);
  await writeFile(file, stringify(Object.fromEntries(groups)));
  await writeFile(join(configs, 'development.yaml'), '{}\n');
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, 'serve-program.js'), configs, 'serve', ...args],
    {
      env: {
        ...process.env,
        PORT: '0',
        ADMIN_PORT: '0',
        SHORTLIST_REGISTRY: registry,
        SHORTLIST_CHANNEL: 'staging',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const exited = once(child, 'exit');
  // Until it has gone it writes to the folders of the test, which are removed next.
  t.teardown(() => {
    child.kill('SIGKILL');
    return exited;
  });
  const [out, errors] = [child.stdout, child.stderr].map((stream) => {
    const parts: string[] = [];
    stream.setEncoding('utf8').on('data', (text: string) => parts.push(text));
    return () => parts.join('');
  }) as [() => string, () => string];
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal }) as Awaited<ServingProcess['ended']>,
  );
  const url = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', () => {
      const found = /at (http:\S+); try/.exec(errors())?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(errors())));
  });
  url.catch(() => undefined);
  const log = (): Record<string, unknown>[] =>
    out()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, url, ended, errors, log };
}
