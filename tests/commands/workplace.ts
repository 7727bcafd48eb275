import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { createCommandRunner, type CommandRunner } from '../support/command-runner.js';
import { smallTrainingConfig } from '../support/trained-bundle.js';

/** A working folder with the shipped configs, training made small; commands run in it in this process. */
export async function createWorkplace(
  t: Test,
): Promise<{ dir: string; configsDir: string; run: CommandRunner }> {
  const dir = t.testdir();
  const configsDir = join(dir, 'configs');
  await cp('configs', configsDir, { recursive: true });
  await writeFile(join(configsDir, 'training.yaml'), stringify(smallTrainingConfig()));
  const env = { SHORTLIST_REGISTRY: join(dir, 'models'), SHORTLIST_EVENTS_FOLDER: join(dir, 'events') };
  const run = createCommandRunner({ env, configsDir });
  return { dir, configsDir, run };
}
