import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { findFreePort } from './free-port.js';

const isMissing = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined;

/** Why tests of the alerts are skipped, or false where Prometheus is installed. */
export const PROMETHEUS_MISSING: string | false =
  isMissing('prometheus') || isMissing('promtool')
    ? 'prometheus and promtool are not installed (Debian: apt-get install prometheus)'
    : false;

export interface FiringAlert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Prometheus {
  /** What fires or is about to. */
  alerts(): Promise<readonly FiringAlert[]>;
}

/** A Prometheus of the test's own, with its files in `dir`, that scrapes the targets as the job `shortlist`; they have been scraped when it is given. @param options.scrape how often */
export async function startPrometheus(
  t: Test,
  dir: string,
  options: { targets: readonly string[]; rules: string; scrape: string },
): Promise<Prometheus> {
  await mkdir(dir, { recursive: true });
  const targets = options.targets.map((target) => new URL(target).host);
  const config = {
    global: { scrape_interval: options.scrape, scrape_timeout: options.scrape },
    rule_files: [join(dir, 'rules.yaml')],
    scrape_configs: [{ job_name: 'shortlist', static_configs: [{ targets }] }],
  };
  await writeFile(join(dir, 'rules.yaml'), options.rules);
  await writeFile(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const port = await findFreePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  for await (const line of createInterface(child.stderr)) {
    if (line.includes('Server is ready to receive web requests')) break;
  }
  child.stderr.resume();
  const get = async (path: string): Promise<unknown> =>
    ((await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as { data: unknown }).data;
  // It looks for its targets some seconds after it is ready.
  for (let scraped = 0; scraped < targets.length; await wait(50)) {
    scraped = ((await get('query?query=up')) as { result: unknown[] }).result.length;
  }
  return { alerts: async () => ((await get('alerts')) as { alerts: FiringAlert[] }).alerts };
}
