import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { startCachedServer } from '../support/cached-server.js';
import { openGatedEvents } from '../support/gated-events.js';
import { publishContextBundle } from '../support/context-bundle.js';
import type { OpenapiDocument, Operation, Parameter } from '../http/openapi-validator.js';

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

/**
 * It reads this where it runs: what is too long to be read is refused, too, before it is looked at; and no schema says which scenarios,
 * attributes and versions of overrides there are, which sources and rules an inspection can name, and what it says twice.
 */
const CONFIG = `[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431, "5xx"]

[[operations]]
include-operation-id = "replaceOverrides"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = "inspect"
checks.positive_data_acceptance.enabled = false
`;

/** The document of a server without cursors, which no document can say: only an answer has one. */
async function writeWithoutCursors(url: string, folder: string): Promise<string> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenapiDocument;
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    const { parameters, requestBody } = operation as { parameters?: Parameter[] } & Operation;
    const at = parameters?.findIndex(({ name }) => name === 'cursor') ?? -1;
    if (at >= 0) parameters!.splice(at, 1);
    for (const { schema } of Object.values(requestBody?.content ?? {}))
      Reflect.deleteProperty((schema as { properties: object }).properties, 'cursor');
  }
  const file = join(folder, 'without-cursors.json');
  await writeFile(file, JSON.stringify(document));
  return file;
}

async function runSchemathesis(
  url: string,
  { folder, document = `${url}/openapi.json` }: { folder: string; document?: string },
  more: readonly string[],
) {
  const args = ['run', document, '--url', url, '--seed', '1', '--no-color', '--max-examples', '50', ...more];
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
    await writeFile(join(folder, 'schemathesis.toml'), CONFIG);
    const withoutCursors = { folder, document: await writeWithoutCursors(server.url, folder) };
    const runs = [
      [server.url, withoutCursors, '--exclude-path', '/events'],
      // Any text may stand where a cursor does, and next to all of it is a 400.
      [
        server.url,
        { folder },
        '--include-path-regex',
        '^/(recommendations|rank)',
        '--exclude-checks',
        'positive_data_acceptance',
      ],
      // No document can say which times are about now, and a bad event does not refuse a good one.
      [
        server.url,
        { folder },
        '--include-path',
        '/events',
        '--exclude-checks',
        'positive_data_acceptance,negative_data_rejection',
      ],
      [server.adminUrl, { folder }],
    ] as const;
    for (const [url, reading, ...more] of runs) {
      const { code, report } = await runSchemathesis(url, reading, more);
      t.equal(code, 0, report);
      t.comment(report.slice(report.indexOf('SUMMARY')));
    }
  },
);
