import { join } from 'node:path';
import type { TSchema } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { findUnknownVariables } from './find-unknown-variables.js';
import { type GivenSetting, listIneffectiveSettings } from './list-ineffective-settings.js';
import { isMapping, listProblems, type NodeSchema } from './list-problems.js';
import { findSetting, listSettings, type Setting } from './list-settings.js';
import { parseRedisUrl } from './parse-redis-url.js';
import { readYamlMapping } from './read-config-file.js';
import { ENVIRONMENTS, SettingsSchema, type Environment, type Settings } from './settings.js';

/** Environment variables by name; an empty value counts as not set. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The places that settings come from. */
export interface SettingsSources {
  readonly configsDir: string;
  readonly env: Variables;
  /** What the command line says. */
  readonly flags?: readonly SettingFlag[];
}

/** An option of a command that goes over a setting. */
export interface SettingFlag {
  /** As it is typed: `--workers`. */
  readonly flag: string;
  readonly group: string;
  readonly key: string;
  readonly value: unknown;
}

/** The value of a setting in force, and what set it. */
export interface SettingInForce extends Setting {
  readonly value: unknown;
  /** A file, a variable or an option of the command line. */
  readonly origin: string;
}

interface Layer {
  readonly values: Layered;
  readonly problems: readonly string[];
  readonly originOf: (setting: Setting) => string;
}

type Layered = Record<string, unknown>;

/**
 * The settings in force: `default.yaml`, over it the file of the environment that `SHORTLIST_ENV` names, over both the
 * variables, over all of them the options of the command line.
 * @throws ShortlistError INVALID_CONFIG with every unknown key and `SHORTLIST_` variable, wrong value, missing key and unreadable file at
 * once, and with every setting of security that would have no effect.
 */
export function loadSettings(sources: SettingsSources): Settings {
  return checkLayers(readLayers(sources), sources);
}

/** Every setting in the order of the schema, with what set it. Throws as `loadSettings` does. */
export function explainSettings(sources: SettingsSources): SettingInForce[] {
  const layers = readLayers(sources);
  const settings = checkLayers(layers, sources);
  return listSettings().map((setting) => {
    const above = layers.findLast(({ values }) => findSetting(values, setting) !== undefined)!;
    return { ...setting, value: findSetting(settings, setting), origin: above.originOf(setting) };
  });
}

function readLayers({ configsDir, env, flags = [] }: SettingsSources): Layer[] {
  const files = listFiles(env).map((name) => readFileLayer(join(configsDir, `${name}.yaml`)));
  return [...files, readVariables(env), readFlags(flags)];
}

function listFiles(env: Variables): string[] {
  const environment = findEnvironment(env);
  return ['default', ...(environment === undefined ? [] : [environment])];
}

function checkLayers(layers: readonly Layer[], { env }: SettingsSources): Settings {
  const problems = [
    ...environmentProblems(env),
    ...findUnknownVariables(env),
    ...layers.flatMap((layer) => layer.problems),
  ];
  const settings = layers.reduce((merged, layer) => merge(merged, layer.values), {} as Layered);
  if (problems.length === 0)
    problems.push(...listProblems(SettingsSchema, settings, { origin: listFiles(env).join(' + ') }));
  if (problems.length === 0) {
    problems.push(
      ...limitProblems(settings as Settings),
      ...listIneffectiveSettings(settings as Settings, listGiven(layers)),
    );
  }
  if (problems.length > 0)
    throw new ShortlistError('INVALID_CONFIG', 'The settings cannot be used:', { problems });
  return settings as Settings;
}

/** What the layers above the first one say. */
function listGiven([, ...above]: readonly Layer[]): GivenSetting[] {
  return listSettings().flatMap((setting) => {
    const layer = above.findLast(({ values }) => findSetting(values, setting) !== undefined);
    if (layer === undefined) return [];
    return [{ ...setting, value: findSetting(layer.values, setting), origin: layer.originOf(setting) }];
  });
}

/** The environment that `SHORTLIST_ENV` names, the first of the list when it is not set; undefined when it names none. */
export function findEnvironment(env: Variables): Environment | undefined {
  const name = env['SHORTLIST_ENV'] || ENVIRONMENTS[0];
  return ENVIRONMENTS.find((environment) => environment === name);
}

function environmentProblems(env: Variables): string[] {
  if (findEnvironment(env) !== undefined) return [];
  return [`SHORTLIST_ENV: is "${env['SHORTLIST_ENV']}", allowed is one of ${ENVIRONMENTS.join(', ')}`];
}

function readFileLayer(file: string): Layer {
  const { value, problems } = readYamlMapping(file);
  return {
    values: value,
    problems: [...problems, ...listProblems(SettingsSchema, value, { origin: file, partial: true })],
    originOf: () => file,
  };
}

function readVariables(env: Variables): Layer {
  const given = listSettings().filter(({ schema }) => schema.variable !== undefined && env[schema.variable]);
  const values: Layered = {};
  const problems = given.flatMap((setting) => readVariable(setting, env[setting.schema.variable!]!, values));
  return { values, problems, originOf: ({ schema }) => schema.variable! };
}

function readFlags(flags: readonly SettingFlag[]): Layer {
  const values: Layered = {};
  const problems = flags.flatMap(({ flag, group, key, value }) => {
    values[group] = { ...(values[group] as Layered | undefined), [key]: value };
    const { schema } = listSettings().find((setting) => setting.group === group && setting.key === key)!;
    return listProblems(schema as TSchema, value, { origin: flag, path: [group, key] });
  });
  const originOf = (setting: Setting): string =>
    flags.find(({ group, key }) => group === setting.group && key === setting.key)!.flag;
  return { values, problems, originOf };
}

function readVariable(setting: Setting, text: string, into: Layered): string[] {
  const { group, key, schema } = setting;
  const value = parseText(schema, text);
  into[group] = { ...(into[group] as Layered | undefined), [key]: value };
  return listProblems(schema as TSchema, value, { origin: schema.variable!, path: [group, key] });
}

/** The text as the type of the setting where it reads as one, else as it is, for the check to refuse. */
function parseText(schema: NodeSchema, text: string): unknown {
  if (schema.type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (schema.type === 'number') return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (schema.type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  if (schema.type === 'array') return text.split(',').map((entry) => entry.trim());
  return text;
}

/** Mappings within mappings are put together; of any other value the one above counts. */
function merge(below: Layered, above: Layered): Layered {
  const merged = Object.entries(above).map(([key, value]) => {
    const under = below[key];
    return [key, isMapping(value) && isMapping(under) ? merge(under, value) : value];
  });
  return { ...below, ...(Object.fromEntries(merged) as Layered) };
}

function limitProblems({ server, redis, jwt }: Settings): string[] {
  const problems: string[] = [];
  if (server.maxUrlLength >= server.maxHeaderBytes) {
    problems.push(
      `server.maxUrlLength is ${server.maxUrlLength}, allowed is less than server.maxHeaderBytes (${server.maxHeaderBytes})`,
    );
  }
  if (server.headersTimeoutMs > server.requestTimeoutMs) {
    problems.push(
      `server.headersTimeoutMs is ${server.headersTimeoutMs}, allowed is at most server.requestTimeoutMs (${server.requestTimeoutMs})`,
    );
  }
  return [...problems, ...redisProblems(redis.url), ...jwtProblems(jwt)];
}

function jwtProblems(jwt: Settings['jwt']): string[] {
  if (jwt.jwksUrl === '') return [];
  const missing = (['issuer', 'audience'] as const).filter((key) => jwt[key] === '');
  const problems = missing.map(
    (key) =>
      `jwt.${key} is "", allowed is text that is not empty where jwt.jwksUrl is set: tokens for others would pass`,
  );
  if (jwt.refreshSeconds <= jwt.maxKeyAgeSeconds) return problems;
  return [
    ...problems,
    `jwt.refreshSeconds is ${jwt.refreshSeconds}, allowed is at most jwt.maxKeyAgeSeconds (${jwt.maxKeyAgeSeconds})`,
  ];
}

function redisProblems(url: string): string[] {
  try {
    parseRedisUrl(url);
    return [];
  } catch (error) {
    return [(error as ShortlistError).message];
  }
}
