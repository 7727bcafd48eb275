import { basename, join } from 'node:path';
import { Type, type Static } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { MOST_NAMED_VALUES, NAMED_VALUE } from '../domain/named-value.js';
import { listConfigFiles } from './list-config-files.js';
import { listProblems } from './list-problems.js';
import { readYamlMapping } from './read-config-file.js';
import { listRuleProblems, type RuleEntry, type RuleWhen } from './rule-config.js';

const name = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,63}$',
  'x-allowed': 'lower-case letters, digits and hyphens, a letter first',
});

/** One placement: which candidate sources with which quotas, which rules, who ranks. */
export const ScenarioSchema = Type.Object(
  {
    name,
    description: Type.String({ minLength: 1 }),
    /** What the scenario starts from; `user` when not said. */
    basis: Type.Optional(Type.Enum(['user', 'item', 'nobody'])),
    /** Candidates that each source may give, by source name. */
    sources: Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 1000 })),
    /** Candidates after merging at most. */
    maxCandidates: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** In order: `listRuleProblems` checks each. */
    rules: Type.Unsafe<RuleEntry[]>(Type.Array(Type.Unknown(), { 'x-allowed': 'a list of rules' })),
    /** Only items that pass these filters, `attribute:value` as requests write them; those of a request narrow them further. */
    filters: Type.Optional(
      Type.Array(Type.String({ ...NAMED_VALUE, 'x-allowed': '`attribute:value`' }), {
        maxItems: MOST_NAMED_VALUES,
      }),
    ),
    /** `bundle` is the ranker of the bundle, `fusion` the order in which the sources were merged. */
    ranker: Type.Enum(['bundle', 'fusion']),
    /** The scenario that answers in its place when nothing is known of the user. */
    coldStart: Type.Optional(name),
  },
  { additionalProperties: false },
);

/** A scenario, typed as its schema says. */
export type ScenarioConfig = Static<typeof ScenarioSchema>;

/**
 * Reads every `*.yaml` of a folder, by scenario name, in the order of the file names. A file carries the name of its scenario.
 * @throws ShortlistError INVALID_CONFIG with every problem of every file.
 */
export function readScenarios(dir: string): Map<string, ScenarioConfig> {
  const { scenarios, problems } = readScenarioFiles(dir);
  if (problems.length > 0)
    throw new ShortlistError('INVALID_CONFIG', 'The scenarios cannot be used:', { problems });
  return scenarios;
}

/** What a folder of scenarios holds. */
export interface ScenarioFiles {
  /** Those that are right by themselves, by name, in the order of the file names. */
  readonly scenarios: Map<string, ScenarioConfig>;
  /** The names that the files carry, those that are wrong too. */
  readonly names: readonly string[];
  /** Every problem of every file, a sentence each. */
  readonly problems: readonly string[];
}

/** Reads the same folder; what is wrong comes as problems, never thrown. */
export function readScenarioFiles(dir: string): ScenarioFiles {
  const { files, problems: unread } = listConfigFiles(dir, 'a scenario');
  const read = files.map((file) => readScenario(dir, file));
  const problems = [...read.flatMap((scenario) => scenario.problems), ...unread];
  if (files.length === 0) problems.push(`${dir}: holds no scenario file, expected at least one *.yaml`);
  const right = read.filter((scenario) => scenario.problems.length === 0);
  return {
    scenarios: new Map(right.map(({ scenario }) => [scenario.name, scenario])),
    names: files.map((file) => basename(file, '.yaml')),
    problems,
  };
}

/** Lists the sources and scenarios that a scenario or one of its rules names and that do not exist; empty when it can be served. */
export function checkScenario(
  config: ScenarioConfig,
  known: { sources: readonly string[]; scenarios: readonly string[] },
): string[] {
  return [
    ...unknownNames(`scenario ${config.name}: source`, Object.keys(config.sources), known.sources),
    ...unknownNames(
      `scenario ${config.name}: coldStart`,
      config.coldStart === undefined ? [] : [config.coldStart],
      known.scenarios,
    ),
    ...config.rules.flatMap((rule, index) =>
      Object.entries(typeof rule === 'string' ? {} : rule).flatMap(([name, settings]) =>
        unknownNames(
          `scenario ${config.name}: rules.${index}.${name}.when.scenario`,
          (settings as { when?: RuleWhen }).when?.scenario ?? [],
          known.scenarios,
        ),
      ),
    ),
  ];
}

function readScenario(dir: string, fileName: string): { scenario: ScenarioConfig; problems: string[] } {
  const file = join(dir, fileName);
  const { value, problems } = readYamlMapping(file);
  const scenario = value as ScenarioConfig;
  const all = problems.length > 0 ? problems : listProblems(ScenarioSchema, value, { origin: file });
  const { rules } = value as { readonly rules?: unknown };
  if (Array.isArray(rules)) all.push(...listRuleProblems(rules, { origin: file, path: ['rules'] }));
  if (all.length === 0) all.push(...consistencyProblems(file, fileName, scenario));
  return { scenario, problems: all };
}

function consistencyProblems(file: string, fileName: string, scenario: ScenarioConfig): string[] {
  const problems: string[] = [];
  if (fileName !== `${scenario.name}.yaml`) {
    problems.push(`${file}: name is "${scenario.name}", allowed is the name of its file`);
  }
  if (Object.keys(scenario.sources).length === 0)
    problems.push(`${file}: sources is empty, name at least one source`);
  return problems;
}

function unknownNames(what: string, names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((each) => !known.includes(each))
    .map((each) => `${what} "${each}" is unknown; known are ${known.join(', ')}`);
}
