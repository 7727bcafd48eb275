import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { Gates } from '../bundle/promotion-gates.js';
import { readDatasetConfig } from '../config/dataset-config.js';
import { describeScenario } from '../config/describe-scenario.js';
import { readLoadProfile } from '../config/load-profile.js';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import { readScenarios, type ScenarioConfig } from '../config/scenario-config.js';
import { ENVIRONMENTS } from '../config/settings.js';
import { TrainingConfig } from '../config/training-config.js';
import { ShortlistError } from '../domain/errors.js';
import { closeEngine } from '../engine/close-engine.js';
import { listUnknownNames, openEngine } from '../engine/open-engine.js';
import type { CommandContext } from './command-context.js';
import { findBundle } from './find-bundle.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist validate`. */
export function createValidateCommand(context: CommandContext): Command {
  return new Command('validate')
    .description(
      'Check every config file, and say in a sentence what each scenario does. Fails with every problem of every file.',
    )
    .option(
      '--bundle <version>',
      'check the scenarios against a bundle too: a version, a channel or a folder',
    )
    .action(async ({ bundle }: { bundle?: string }) => {
      const problems: string[] = [];
      const scenarios = checkFiles(context, problems);
      if (scenarios !== undefined) {
        problems.push(...listUnknownNames(scenarios));
        for (const scenario of scenarios.values()) context.print(describeScenario(scenario));
      }
      if (bundle !== undefined && scenarios !== undefined && problems.length === 0)
        problems.push(...(await listBundleProblems(bundle, scenarios, context)));
      if (problems.length > 0)
        throw new ShortlistError('INVALID_CONFIG', 'The configs cannot be used:', { problems });
      context.print(`\nEvery file of ${context.configsDir} is right.`);
    });
}

/** @returns the scenarios, where they can be read */
function checkFiles(context: CommandContext, problems: string[]): Map<string, ScenarioConfig> | undefined {
  const { configsDir, env } = context;
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(...listProblemsOf(error));
      return undefined;
    }
  };
  for (const environment of ENVIRONMENTS)
    attempt(() => loadSettings({ configsDir, env: { ...env, SHORTLIST_ENV: environment } }));
  const scenarios = attempt(() => readScenarios(join(configsDir, 'scenarios')));
  attempt(() => readConfigFile(TrainingConfig, join(configsDir, 'training.yaml')));
  attempt(() => readConfigFile(Gates, join(configsDir, 'gates.yaml')));
  for (const name of listNames(join(configsDir, 'datasets')))
    attempt(() => readDatasetConfig(name, { configsDir }));
  for (const name of listNames(join(configsDir, 'load')))
    attempt(() => readLoadProfile(name, { configsDir }));
  return scenarios;
}

/** @throws what is no fault of a config or a bundle */
function listProblemsOf(error: unknown): readonly string[] {
  if (!(error instanceof ShortlistError)) throw error;
  return error.problems.length > 0 ? error.problems : [error.message];
}

function listNames(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => basename(file, '.yaml'));
}

async function listBundleProblems(
  name: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  context: CommandContext,
): Promise<readonly string[]> {
  const registry = await openRegistry(loadSettings(context).bundle, context);
  const folder = await findBundle(name, registry);
  try {
    await closeEngine(await openEngine(folder, scenarios));
    return [];
  } catch (error) {
    return listProblemsOf(error);
  }
}
