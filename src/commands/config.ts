import { join } from 'node:path';
import { Command, Option } from 'commander';
import { explainSettings, loadSettings, type SettingInForce } from '../config/load-settings.js';
import { readScenarios } from '../config/scenario-config.js';
import { ENVIRONMENTS, type Environment } from '../config/settings.js';
import { requireAccess } from '../http/access/require-access.js';
import { maskSecrets } from '../observability/mask-secrets.js';
import type { CommandContext } from './command-context.js';
import { createServeOptions, listFlags, type ServeOptions } from './serve-flags.js';

interface ConfigOptions extends ServeOptions {
  readonly env?: Environment;
  readonly json?: boolean;
}

/** The command `shortlist config`. */
export function createConfigCommand(context: CommandContext): Command {
  const command = new Command('config')
    .description(
      'Print the settings that `serve` would run with, each with what set it; secrets are masked. Fails where `serve` would not start over them.',
    )
    .addOption(
      new Option('-e, --env <name>', 'the environment; by default what SHORTLIST_ENV says').choices(
        ENVIRONMENTS,
      ),
    )
    .option('--json', 'print JSON');
  for (const option of createServeOptions()) command.addOption(option);
  return command.action(({ env: name, json = false, ...options }: ConfigOptions) => {
    const env = name === undefined ? context.env : { ...context.env, SHORTLIST_ENV: name };
    const sources = { ...context, env, flags: listFlags(options) };
    const settings = explainSettings(sources).map(show);
    const environment = env['SHORTLIST_ENV'] || ENVIRONMENTS[0];
    context.print(json ? toJson(environment, settings) : toTable(environment, settings));
    // What else the start refuses of what is configured.
    requireAccess(loadSettings(sources));
    readScenarios(join(context.configsDir, 'scenarios'));
  });
}

interface Shown {
  readonly name: string;
  readonly value: unknown;
  readonly origin: string;
}

function show({ group, key, schema, value, origin }: SettingInForce): Shown {
  return { name: `${group}.${key}`, value: mask(schema, value), origin };
}

/** A URL without a login and without a query says only where something is. */
const HARMLESS_URL = /^[a-z][a-z-]*:\/\/[^@?\s]*$/;

function mask(schema: SettingInForce['schema'], value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => mask({ ...schema, ...schema.items }, entry));
  if (typeof value !== 'string') return value;
  return schema.secret === true && !HARMLESS_URL.test(value) ? '[redacted]' : maskSecrets(value);
}

function toJson(environment: string, settings: readonly Shown[]): string {
  return JSON.stringify({ environment, settings }, null, 2);
}

function toTable(environment: string, settings: readonly Shown[]): string {
  const rows = settings.map(({ name, value, origin }) => [name, JSON.stringify(value), origin] as const);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    ([name, value, origin]) => `${name.padEnd(widths[0]!)}  ${value.padEnd(widths[1]!)}  ${origin}`,
  );
  return [`Environment: ${environment}`, '', ...lines].join('\n');
}
