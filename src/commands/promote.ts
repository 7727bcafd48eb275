import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type MoveOptions, PROMOTED_FROM, type PromotedChannel } from '../bundle/bundle-registry.js';
import { promoteBundle, type TryOut } from '../bundle/promote-bundle.js';
import { describeCheck, Gates } from '../bundle/promotion-gates.js';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import { readScenarios } from '../config/scenario-config.js';
import type { Settings } from '../config/settings.js';
import { compareOnTrial } from '../serving/bundle-life/compare-latency.js';
import { tryBundle } from '../serving/bundle-life/rehearse-bundle.js';
import type { CommandContext } from './command-context.js';
import { createDatasetChangeOption } from './dataset-change-option.js';
import { openRegistry } from './open-registry.js';

interface PromoteOptions extends MoveOptions {
  readonly to: PromotedChannel;
  readonly allow?: readonly (keyof Gates)[];
  readonly reason?: string;
}

/** Milliseconds that a bundle on trial may say nothing, where the settings say that servers try none. */
const TRIAL_SILENCE_MS = 60_000;

/** The command `shortlist promote`. */
export function createPromoteCommand(context: CommandContext): Command {
  return new Command('promote')
    .description(
      'Point a channel at a bundle that opens, answers and passes the gates of configs/gates.yaml: candidate → staging → production.',
    )
    .argument('[version]', 'version to promote (default: the one that the channel before points at)')
    .addOption(
      new Option('--to <channel>', 'channel to point at it')
        .choices(Object.keys(PROMOTED_FROM))
        .default('production'),
    )
    .option('--allow <gates>', 'gates that may fail this once, joined by commas', parseGates)
    .option('--reason <text>', 'why; the audit log keeps it')
    .addOption(createDatasetChangeOption())
    .action(async (version: string | undefined, options: PromoteOptions, command: Command) => {
      const { to, allow, reason, allowDatasetChange } = options;
      if ((allow === undefined) !== (reason === undefined))
        command.error('error: --allow and --reason go together: which gates may fail, and why.', {
          exitCode: 2,
        });
      const settings = loadSettings(context);
      const { pointer, checks } = await promoteBundle(await openRegistry(settings.bundle, context), {
        gates: readConfigFile(Gates, join(context.configsDir, 'gates.yaml')),
        version,
        to,
        allowed: allow && { gates: allow, reason: reason! },
        tryOut: createTryOut(settings, context),
        allowDatasetChange,
      });
      for (const check of checks)
        context.print(`${check.passed ? 'passed' : 'allowed'} ${describeCheck(check)}`);
      context.print(`${to} points at ${pointer.version}, before at ${pointer.previous[0] ?? 'nothing'}.`);
    });
}

/** First in a process of its own, which a bundle may hang or end without harm, then here beside the current one. */
function createTryOut({ bundle, features }: Settings, { configsDir }: CommandContext): TryOut {
  const options = {
    scenarios: readScenarios(join(configsDir, 'scenarios')),
    memoryLimitBytes: features.memoryLimitMegabytes * 1e6,
  };
  const { signal } = new AbortController();
  const silenceMs = bundle.trialSilenceMs || TRIAL_SILENCE_MS;
  return async (folder, findCurrent) => {
    await tryBundle({ folder, ...options, replacedViews: [] }, { silenceMs, signal });
    return compareOnTrial(folder, findCurrent, options);
  };
}

function parseGates(text: string): (keyof Gates)[] {
  const known = Object.keys(Gates.properties);
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => known.includes(name))) return names as (keyof Gates)[];
  throw new InvalidArgumentError(`Allowed are ${known.join(', ')}, several joined by commas.`);
}
