import { basename, join } from 'node:path';
import { Command } from 'commander';
import { Gates } from '../bundle/promotion-gates.js';
import { readDatasetConfig } from '../config/dataset-config.js';
import { describeScenario } from '../config/describe-scenario.js';
import { listConfigFiles } from '../config/list-config-files.js';
import { listScenarioWarnings } from '../config/list-scenario-warnings.js';
import { readLoadProfile } from '../config/load-profile.js';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import { readScenarioFiles, type ScenarioFiles } from '../config/scenario-config.js';
import { ENVIRONMENTS } from '../config/settings.js';
import { TrainingConfig } from '../config/training-config.js';
import { ShortlistError } from '../domain/errors.js';
import { listFaults } from '../domain/list-faults.js';
import { listUnknownNames } from '../engine/open-engine.js';
import { checkAgainstBundle } from './check-against-bundle.js';
import type { CommandContext } from './command-context.js';
import { findBundle } from './find-bundle.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist validate`. */
export function createValidateCommand(context: CommandContext): Command {
  return new Command('validate')
    .description(
      'Check every config file, and say in a sentence what each scenario does. Fails with every problem of every file, and warns of what has no effect.',
    )
    .option(
      '--bundle <version>',
      'check the scenarios against a bundle too: a version, a channel or a folder',
    )
    .action(async ({ bundle }: { bundle?: string }) => {
      const problems: string[] = [];
      const { scenarios, names, problems: wrong } = checkFiles(context, problems);
      if (wrong.length === 0)
        for (const scenario of scenarios.values()) context.print(describeScenario(scenario));
      const now = context.now().getTime() / 1000;
      const warnings = listScenarioWarnings(scenarios.values(), { now, names });
      if (bundle !== undefined && problems.length === 0) {
        const registry = await openRegistry(loadSettings(context).bundle, context);
        const found = await checkAgainstBundle(await findBundle(bundle, registry), scenarios);
        problems.push(...found.problems);
        warnings.push(...found.warnings);
      }
      for (const warning of warnings) context.print(`warning: ${warning}`);
      if (problems.length > 0)
        throw new ShortlistError('INVALID_CONFIG', 'The configs cannot be used:', { problems });
      context.print(`\nEvery file of ${context.configsDir} is right.`);
    });
}

/** @returns the scenarios; what is wrong with them is among the problems too */
function checkFiles(context: CommandContext, problems: string[]): ScenarioFiles {
  const { configsDir, env } = context;
  const attempt = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      problems.push(...listFaults(error));
    }
  };
  const attemptEach = (folder: string, what: string, read: (name: string) => unknown): void => {
    const { files, problems: unread } = listConfigFiles(join(configsDir, folder), what);
    problems.push(...unread);
    for (const file of files) attempt(() => read(basename(file, '.yaml')));
  };
  for (const environment of ENVIRONMENTS)
    attempt(() => loadSettings({ configsDir, env: { ...env, SHORTLIST_ENV: environment } }));
  const found = readScenarioFiles(join(configsDir, 'scenarios'));
  problems.push(...found.problems, ...listUnknownNames(found.scenarios, found.names));
  attempt(() => readConfigFile(TrainingConfig, join(configsDir, 'training.yaml')));
  attempt(() => readConfigFile(Gates, join(configsDir, 'gates.yaml')));
  attemptEach('datasets', 'a dataset', (name) => readDatasetConfig(name, { configsDir }));
  attemptEach('load', 'a load profile', (name) => readLoadProfile(name, { configsDir }));
  return found;
}
