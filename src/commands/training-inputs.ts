import { join } from 'node:path';
import { readConfigFile } from '../config/read-config-file.js';
import { readScenarios, type ScenarioConfig } from '../config/scenario-config.js';
import { TrainingConfig } from '../config/training-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { Provenance } from '../offline/training/bundle/provenance.js';
import type { CommandContext } from './command-context.js';
import { findGitCommit } from './find-git-commit.js';
import { PACKAGE_ROOT } from './package-root.js';

/** The scenario that a ranker is trained and evaluated for. */
const TRAINED_SCENARIO = 'home';

/** The inputs of training and evaluation beside the dataset. */
export interface TrainingInputs {
  readonly config: TrainingConfig;
  readonly scenario: ScenarioConfig;
  /** What answers in its place for users without a history. */
  readonly coldStart: ScenarioConfig | undefined;
  /** All scenarios, those above among them. */
  readonly placements: readonly ScenarioConfig[];
  readonly provenance: Provenance;
}

/** @throws ShortlistError INVALID_CONFIG */
export async function readTrainingInputs(context: CommandContext): Promise<TrainingInputs> {
  const scenariosDir = join(context.configsDir, 'scenarios');
  const scenarios = readScenarios(scenariosDir);
  const scenario = scenarios.get(TRAINED_SCENARIO);
  if (scenario === undefined) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `${scenariosDir} has no scenario '${TRAINED_SCENARIO}': the ranker is trained for it.`,
    );
  }
  return {
    config: readConfigFile(TrainingConfig, join(context.configsDir, 'training.yaml')),
    scenario,
    coldStart: scenario.coldStart === undefined ? undefined : scenarios.get(scenario.coldStart),
    placements: [...scenarios.values()],
    provenance: {
      createdAt: context.now().toISOString(),
      codeVersion: context.codeVersion,
      gitCommit: await findGitCommit(PACKAGE_ROOT),
    },
  };
}
