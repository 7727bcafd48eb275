import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { readConfigFile } from './read-config-file.js';

const closed = { additionalProperties: false } as const;

const weight = (description: string): Type.TNumber => Type.Number({ minimum: 0, description });
const share = (description: string): Type.TNumber => Type.Number({ minimum: 0, maximum: 1, description });

const Stage = Type.Object(
  {
    rate: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      description: 'Requests per second; with `ramp`, at its end.',
    }),
    seconds: Type.Number({ exclusiveMinimum: 0, maximum: 604_800, description: 'How long it takes.' }),
    ramp: Type.Optional(
      Type.Boolean({
        description: 'The rate changes evenly from that of the stage before (from 0 at first) to `rate`.',
      }),
    ),
  },
  closed,
);

const Limits = Type.Object(
  {
    p99Ms: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'The 99th percentile of the latency at most.' }),
    ),
    errorShare: Type.Optional(share('Failed requests at most, as a share of all.')),
    degradedShare: Type.Optional(share('Degraded answers at most, as a share of all that succeeded.')),
  },
  closed,
);

/** `configs/load/*.yaml`: how much traffic of which kind, and what fails the run. */
export const LoadProfileSchema = Type.Object(
  {
    description: Type.String({ minLength: 1 }),
    seed: Type.Integer({
      description: 'Seed of the mix and of Poisson arrivals: the same seed, the same requests.',
    }),
    arrivals: Type.Enum(['constant', 'poisson'], {
      description: '`constant`: evenly spaced; `poisson`: independent of each other, as people are.',
    }),
    stages: Type.Array(Stage, { minItems: 1, description: 'One after the other.' }),
    timeoutMs: Type.Integer({
      minimum: 10,
      maximum: 120_000,
      description: 'A request without its whole answer this long after its intended time has failed.',
    }),
    maxConnections: Type.Integer({
      minimum: 1,
      maximum: 20_000,
      description:
        'Keep-alive connections at most; a request that finds none free waits, and the wait counts.',
    }),
    validateShare: share(
      'Share of the answers whose body is checked against the OpenAPI document of the target.',
    ),
    users: Type.Object(
      {
        known: weight('Weight of users that the target knows, each as likely as the other.'),
        hot: weight('Weight of a few known users who come often (Zipf).'),
        unknown: weight('Weight of users that nobody knows, each asking once.'),
      },
      { ...closed, description: 'Who asks.' },
    ),
    hotUsers: Type.Object(
      {
        count: Type.Integer({ minimum: 1, description: 'How many they are.' }),
        exponent: Type.Number({
          minimum: 0,
          maximum: 10,
          description: 'The user of rank k asks in proportion to 1 / k^exponent.',
        }),
      },
      closed,
    ),
    limits: Type.Record(Type.String(), Type.Number({ minimum: 0 }), {
      description: 'Weight of each `limit`.',
    }),
    scenarios: Type.Record(Type.String(), Type.Number({ minimum: 0 }), {
      description: 'Weight of each scenario.',
    }),
    thresholds: Limits,
    stopWhen: Type.Optional(Limits),
    maxLatenessMs: Type.Number({
      exclusiveMinimum: 0,
      description:
        'The 99th percentile of how late the generator sent at most: above it, the run judges the generator, not the target.',
    }),
    productionHosts: Type.Array(Type.String(), {
      description: 'Regular expressions; a target whose host matches one counts as production.',
    }),
  },
  closed,
);

/** A load profile, typed as its schema says. */
export type LoadProfile = Static<typeof LoadProfileSchema>;
/** One stage of a load profile: a rate of requests, or a ramp between two, for a time. */
export type LoadStage = LoadProfile['stages'][number];
/** The thresholds of a load profile. */
export type LoadLimits = LoadProfile['thresholds'];

/**
 * Reads a profile: the name of a file in `load/` of the configs, or a YAML file.
 * @throws ShortlistError INVALID_CONFIG with every problem, or with the profiles that there are
 */
export function readLoadProfile(
  nameOrFile: string,
  { configsDir }: { configsDir: string },
): LoadProfile & { name: string } {
  const file = findProfile(nameOrFile, join(configsDir, 'load'));
  const profile = readConfigFile(LoadProfileSchema, file);
  const problems = consistencyProblems(profile).map((problem) => `${file}: ${problem}`);
  if (problems.length > 0)
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be used:`, { problems });
  return { ...profile, name: basename(file, '.yaml') };
}

function findProfile(nameOrFile: string, dir: string): string {
  const isFile = /\.ya?ml$|[/\\]/.test(nameOrFile);
  const file = isFile ? nameOrFile : join(dir, `${nameOrFile}.yaml`);
  if (existsSync(file)) return file;
  const known = existsSync(dir) ? readdirSync(dir).map((name) => basename(name, '.yaml')) : [];
  throw new ShortlistError(
    'INVALID_CONFIG',
    `There is no load profile ${file}. Name a file, or one of ${dir}: ${known.sort().join(', ')}.`,
  );
}

function consistencyProblems(profile: LoadProfile): string[] {
  const weightless = (['users', 'limits', 'scenarios'] as const).filter((key) =>
    Object.values(profile[key]).every((each) => each === 0),
  );
  return [
    ...Object.keys(profile.limits)
      .filter((limit) => !/^[1-9]\d*$/.test(limit))
      .map((limit) => `limits: "${limit}" is no limit, allowed are whole numbers above 0`),
    ...weightless.map((key) => `${key}: no weight is above 0, so nothing could be chosen`),
    ...profile.productionHosts.flatMap(patternProblems),
  ];
}

function patternProblems(pattern: string): string[] {
  try {
    return [new RegExp(pattern)].flatMap(() => []);
  } catch (error) {
    return [`productionHosts: ${(error as Error).message}`];
  }
}
