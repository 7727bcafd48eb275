import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { readScenarios } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { SkewReport } from '../offline/feedback/skew/check-skew.js';
import type { CommandContext } from './command-context.js';
import { findDataset } from './dataset-options.js';
import { importOffline } from './import-offline.js';
import { openRegistry } from './open-registry.js';

interface SkewOptions {
  readonly log?: string;
  readonly bundle?: string;
  readonly dataset?: string;
  readonly data: string;
  readonly tolerance: number;
  readonly json?: true;
}

/** The command `shortlist skew`. */
export function createSkewCommand(context: CommandContext): Command {
  return new Command('skew')
    .description(
      'Make the feature vectors of a feature log again from parquet, as training would have at the same time, and fail where they differ.',
    )
    .option('--log <folder>', 'the feature log; by default what featureLog.folder says')
    .option(
      '--bundle <version>',
      'only requests that this version or channel answered (default: all of the log)',
    )
    .option(
      '-d, --dataset <name>',
      'join from this prepared dataset, online rows as of the time of each request (default: from the parquet of the bundle)',
    )
    .option('--data <folder>', 'folder for what the commands hand each other', 'data')
    .option('--tolerance <number>', 'largest difference that is none', parseTolerance, 0)
    .option('--json', 'print the reports as JSON')
    .action(async (options: SkewOptions) => {
      const reports = await checkAll(options, context);
      if (options.json === true) context.print(JSON.stringify(reports, undefined, 2));
      refuseSkew(reports);
    });
}

async function checkAll(options: SkewOptions, context: CommandContext): Promise<SkewReport[]> {
  const { featureLog, bundle } = loadSettings(context);
  const folder = options.log ?? featureLog.folder;
  const tools = await importOffline(() => loadTools());
  const { requests, warnings } = await tools.scanFeatureLog(folder);
  for (const warning of warnings) context.printError(warning);
  const registry = await openRegistry(bundle, context);
  const only =
    options.bundle && ((await registry.listChannels()).get(options.bundle)?.version ?? options.bundle);
  refuseAbsent(only, [...requests.keys()]);
  const scenarios = readScenarios(join(context.configsDir, 'scenarios'));
  const dataset =
    options.dataset === undefined
      ? undefined
      : await tools.readPreparedDataset(
          findDataset({ dataset: options.dataset, data: options.data }, context).preparedDir,
        );
  const progress = await context.openProgress();
  const reports: SkewReport[] = [];
  for (const [version, count] of requests) {
    if (only !== undefined && version !== only) continue;
    const offline = await tools.openOfflineFeatures(await registry.pathOf(version), { scenarios, dataset });
    try {
      const { tolerance } = options;
      const report = await tools.checkSkew(folder, offline, { tolerance, requests: count, progress });
      reports.push(report);
      if (options.json !== true) context.print(tools.renderSkew(report));
    } finally {
      await offline.close();
    }
  }
  return reports;
}

async function loadTools() {
  return {
    ...(await import('../offline/data/prepared-dataset.js')),
    ...(await import('../offline/feedback/skew/check-skew.js')),
    ...(await import('../offline/feedback/skew/offline-features.js')),
    ...(await import('../offline/feedback/skew/read-feature-log.js')),
    ...(await import('../offline/feedback/skew/skew-table.js')),
  };
}

function refuseAbsent(version: string | undefined, logged: readonly string[]): void {
  if (version === undefined || logged.includes(version)) return;
  throw new ShortlistError(
    'INVALID_DATASET',
    `The feature log has no request that ${version} answered; there are those of ${logged.join(', ')}.`,
  );
}

function refuseSkew(reports: readonly SkewReport[]): void {
  const problems = reports
    .filter(({ isSkewed }) => isSkewed)
    .map(({ bundle, features, items }) => {
      const differing = features.filter((feature) => feature.differing > 0).map(({ feature }) => feature);
      const missing = items.missing === 0 ? [] : [`${items.missing} items not found again`];
      return `${bundle}: ${[...differing, ...missing].join(', ')}`;
    });
  const nothing = reports.filter(({ requests }) => requests.compared === 0);
  if (problems.length > 0)
    throw new ShortlistError(
      'FEATURES_SKEWED',
      'The server fed the ranker other features than training would.',
      {
        problems,
      },
    );
  if (nothing.length > 0)
    throw new ShortlistError(
      'INVALID_DATASET',
      `Every logged request of ${nothing.map(({ bundle }) => bundle).join(', ')} was degraded: there is nothing to compare.`,
    );
}

function parseTolerance(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a number of at least 0.');
}
