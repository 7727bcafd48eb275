import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readLoadProfile, type LoadProfile } from '../config/load-profile.js';
import { ShortlistError } from '../domain/errors.js';
import type { LoadTestResult } from '../load-test/load-test-result.js';
import type { CommandContext } from './command-context.js';
import { findDataset } from './dataset-options.js';
import { importOffline } from './import-offline.js';

interface LoadTestCommandOptions {
  readonly target?: URL;
  readonly profile: string;
  readonly admin?: URL;
  readonly users?: string;
  readonly dataset?: string;
  readonly data: string;
  readonly allowProduction?: boolean;
  readonly out?: string;
  readonly compare?: string;
  readonly exportK6?: string;
}

type NamedProfile = LoadProfile & { name: string };

/** The command `shortlist load-test`. */
export function createLoadTestCommand(context: CommandContext): Command {
  return new Command('load-test')
    .description(
      'Send a running server requests at a given rate, whatever its answers take (an open loop), and judge what came back. SHORTLIST_API_KEY is sent where it is set.',
    )
    .option('--target <url>', 'the public listener', parseUrl)
    .option('--profile <name>', 'a profile in configs/load, or a file', 'smoke')
    .option('--admin <url>', 'the admin listener, for the times of the stages', parseUrl)
    .addOption(
      new Option('--users <file>', 'users that the target knows: one per line, JSON or parquet').conflicts(
        'dataset',
      ),
    )
    .option('-d, --dataset <name>', 'take the users of a prepared dataset')
    .option('--data <folder>', 'folder for what the commands hand each other', 'data')
    .option('--allow-production', 'load a target that counts as production')
    .option('--out <folder>', 'write results.json and report.html into a folder')
    .option('--compare <file>', 'results.json of an earlier run to compare with')
    .option('--export-k6 <file>', 'write the profile as a k6 script, and send nothing')
    .action(async (options: LoadTestCommandOptions, command: Command) => {
      const profile = readLoadProfile(options.profile, context);
      if (options.exportK6 !== undefined) await exportScript(options.exportK6, profile, options, context);
      else await runProfile(profile, { options, command, context });
    });
}

/** What goes wrong with a command line, as commander says it: exit code 2. */
function misuse(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: 2 });
}

async function exportScript(
  file: string,
  profile: NamedProfile,
  { target }: LoadTestCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { exportK6 } = await importOffline(() => import('../load-test/export-k6.js'));
  await writeFile(file, exportK6(profile, { target: target?.href ?? 'http://localhost:3000' }));
  context.print(`The profile ${profile.name} is in ${file}. Next: k6 run ${file}`);
}

async function runProfile(
  profile: NamedProfile,
  {
    options,
    command,
    context,
  }: { options: LoadTestCommandOptions; command: Command; context: CommandContext },
): Promise<void> {
  const { target, admin, allowProduction = false } = options;
  if (target === undefined) misuse(command, 'say which server to load: --target http://localhost:3000');
  const tools = await importOffline(() => loadTools());
  const before = options.compare === undefined ? undefined : tools.readLoadTestResult(options.compare);
  const usersFile = findUsersFile(options, context);
  if (tools.needsKnownUsers(profile) && usersFile === undefined) {
    misuse(command, `profile ${profile.name} asks for known users: say --users <file> or --dataset <name>`);
  }
  const result = await tools.runLoadTest(profile, {
    target,
    admin,
    userIds: usersFile === undefined ? [] : await tools.readUserIds(usersFile),
    allowProduction,
    apiKey: context.env['SHORTLIST_API_KEY'] || undefined,
    progress: await context.openProgress(),
    createdAt: context.now(),
    command: context.commandLine,
  });
  const comparison = before && tools.compareResults(before, result);
  context.print(tools.renderLoadTestTable(result, comparison));
  if (options.out !== undefined) {
    await mkdir(options.out, { recursive: true });
    await writeFile(join(options.out, 'results.json'), `${JSON.stringify(result, undefined, 2)}\n`);
    await writeFile(join(options.out, 'report.html'), tools.renderLoadTestReport(result, comparison));
    context.print(`The report is ${join(options.out, 'report.html')}.`);
  }
  refuseUnlessPassed(result, tools.describeVerdict(result));
}

/** What only a run needs; the table of thresholds says the rest. */
function refuseUnlessPassed({ verdict }: LoadTestResult, said: string): void {
  if (verdict !== 'passed') throw new ShortlistError('LOAD_TEST_FAILED', said);
}

function findUsersFile(
  { users, dataset, data }: LoadTestCommandOptions,
  context: CommandContext,
): string | undefined {
  if (dataset === undefined) return users;
  return join(findDataset({ dataset, data }, context).preparedDir, 'users.parquet');
}

async function loadTools() {
  return {
    ...(await import('../load-test/compare-results.js')),
    ...(await import('../load-test/load-test-format.js')),
    ...(await import('../load-test/load-test-report.js')),
    ...(await import('../load-test/load-test-result.js')),
    ...(await import('../load-test/load-test-table.js')),
    ...(await import('../load-test/read-user-ids.js')),
    ...(await import('../load-test/request-mix.js')),
    ...(await import('../load-test/run-load-test.js')),
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidArgumentError('It must be a URL such as http://localhost:3000.');
}
