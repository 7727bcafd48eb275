import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { startCachedServer } from '../support/cached-server.js';
import { openGatedEvents } from '../support/gated-events.js';
import { publishContextBundle } from '../support/context-bundle.js';

const VERSION = '4.32.5';
const FOLDER = join(tmpdir(), `shortlist-schemathesis-${VERSION}`);
const PROGRAM = join(FOLDER, 'bin/st');

/** Installs schemathesis into an environment of its own, once. @returns why it cannot be had */
function installSchemathesis(): string | undefined {
  if (existsSync(PROGRAM)) return undefined;
  const steps = [
    ['python3', '-m', 'venv', FOLDER],
    [join(FOLDER, 'bin/pip'), 'install', '--quiet', '--retries', '1', `schemathesis==${VERSION}`],
  ] as const;
  for (const [program, ...args] of steps) {
    const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0)
      return `${program} ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
  }
  return undefined;
}

async function runSchemathesis(url: string, folder: string, more: readonly string[] = []) {
  const args = [
    'run',
    `${url}/openapi.json`,
    '--url',
    url,
    '--seed',
    '1',
    '--no-color',
    '--max-examples',
    '50',
    ...more,
  ];
  const child = spawn(PROGRAM, args, {
    // It keeps what it found in the folder that it runs in.
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // It draws its progress over and over otherwise.
    env: { ...process.env, TERM: 'dumb', CI: '1' },
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const from = /=+ (FAILURES|ERRORS|SUMMARY) =+/.exec(out)?.index ?? 0;
  return { code: await ended, report: `${out.slice(from)}${errors}` };
}

const obstacle = installSchemathesis();
const skip = obstacle === undefined ? false : `schemathesis cannot be had: ${obstacle}`;
if (skip !== false) console.error(skip);

t.test(
  'requests that the documents allow are answered as they say',
  { skip, timeout: 900_000 },
  async (t) => {
    const folder = t.testdir({});
    const registry = join(folder, 'models');
    await publishContextBundle(registry, { year: 'year', seed: 5 });
    const server = await startCachedServer(t, registry, {
      workers: 0,
      cache: { enabled: false },
      events: await openGatedEvents(t),
    });
    const runs = [
      [server.url, '--exclude-path', '/events'],
      // No document can say which times are about now, and a bad event does not refuse a good one.
      [
        server.url,
        '--include-path',
        '/events',
        '--exclude-checks',
        'positive_data_acceptance,negative_data_rejection',
      ],
      [server.adminUrl],
    ] as const;
    for (const [url, ...more] of runs) {
      const { code, report } = await runSchemathesis(url, folder, more);
      t.equal(code, 0, report);
      t.comment(report.slice(report.indexOf('SUMMARY')));
    }
  },
);
