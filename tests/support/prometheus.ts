import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

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

/** A Prometheus of the test's own that scrapes one target, as the job `shortlist`, and evaluates rules every quarter of a second. */
export async function startPrometheus(
  t: Test,
  dir: string,
  options: { target: string; rules: string },
): Promise<Prometheus> {
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '250ms' },
    rule_files: [join(dir, 'rules.yaml')],
    scrape_configs: [
      { job_name: 'shortlist', static_configs: [{ targets: [new URL(options.target).host] }] },
    ],
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
  return {
    alerts: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/alerts`);
      return ((await answer.json()) as { data: { alerts: FiringAlert[] } }).data.alerts;
    },
  };
}

async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
