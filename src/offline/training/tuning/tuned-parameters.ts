import type { SourceName } from '../../../candidates/sources.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import type { TimeFacts } from '../../../domain/time-facts.js';

/** A number of the training config that a search may change, and how far. */
export interface TunedParameter {
  /** Section and key in `configs/training.yaml`. */
  readonly name: `${keyof TrainingConfig}.${string}`;
  readonly least: number;
  readonly most: number;
  /** Drawn evenly over ratios (`logarithmic`) or over differences. */
  readonly scale: 'logarithmic' | 'linear';
  readonly whole?: true;
  /** The candidate sources that it makes; the ranker's where there are none. */
  readonly sources?: readonly SourceName[];
}

/** The changes that a trial makes to the training config, by the name of the parameter; none in trial 0. */
export type TrialValues = Readonly<Record<string, number>>;

/** Trials that share their candidate sources, because training those takes longer than training a ranker. */
export const TRIALS_PER_CANDIDATES = 4;

/**
 * The parameters that moved the figures of docs/evaluation.md at all. The ranges hold what was tried there,
 * and a little more.
 */
export const TUNED_PARAMETERS: readonly TunedParameter[] = [
  { name: 'als.unobservedWeight', least: 0.003, most: 1, scale: 'logarithmic', sources: ['als'] },
  { name: 'als.regularisation', least: 0.002, most: 0.1, scale: 'logarithmic', sources: ['als'] },
  {
    name: 'similarItems.popularityExponent',
    least: 0.2,
    most: 0.8,
    scale: 'linear',
    sources: ['similar-items'],
  },
  { name: 'similarItems.recencyExponent', least: 0, most: 1, scale: 'linear', sources: ['similar-items'] },
  {
    name: 'ease.regularisation',
    least: 100,
    most: 2000,
    scale: 'logarithmic',
    sources: ['ease', 'ease-recent'],
  },
  { name: 'ease.recencyExponent', least: 0.2, most: 1, scale: 'linear', sources: ['ease-recent'] },
  { name: 'trending.halfLifeDays', least: 0.5, most: 8, scale: 'logarithmic', sources: ['trending'] },
  { name: 'ranker.learningRate', least: 0.02, most: 0.1, scale: 'logarithmic' },
  { name: 'ranker.maxLeaves', least: 6, most: 40, scale: 'logarithmic', whole: true },
  { name: 'ranker.minRowsPerLeaf', least: 20, most: 200, scale: 'logarithmic', whole: true },
  { name: 'ranker.l2', least: 0.5, most: 50, scale: 'logarithmic' },
  { name: 'ranker.featureFraction', least: 0.3, most: 1, scale: 'linear' },
];

/** The parameters that change anything where these candidate sources are asked, and the times of the data are these. */
export function listTunedParameters(
  sources: ReadonlySet<string>,
  { hasOrder }: Pick<TimeFacts, 'hasOrder'>,
): TunedParameter[] {
  return TUNED_PARAMETERS.filter(
    ({ name, sources: own }) =>
      (own?.some((source) => sources.has(source)) ?? true) &&
      (hasOrder || !name.endsWith('.recencyExponent')),
  );
}

/**
 * The values of a trial: random search (Bergstra and Bengio, 2012). They depend on the seed and the number of the trial and on
 * nothing else. Trial 0 changes nothing; the first of those that share their candidate sources has the config's ranker.
 */
export function drawTrial(
  trial: number,
  options: { seed: number; parameters: readonly TunedParameter[] },
): TrialValues {
  const { seed, parameters } = options;
  const candidates = findCandidates(trial);
  const drawn = parameters.filter(({ sources }) =>
    sources === undefined ? trial % TRIALS_PER_CANDIDATES > 0 : candidates > 0,
  );
  return Object.fromEntries(
    drawn.map((parameter) => {
      const which = parameter.sources === undefined ? `trial ${trial}` : `candidates ${candidates}`;
      return [parameter.name, drawValue(parameter, `${seed} ${which} ${parameter.name}`)];
    }),
  );
}

/** The number of the candidate sources of a trial; 0 are those of the config. */
export function findCandidates(trial: number): number {
  return Math.floor(trial / TRIALS_PER_CANDIDATES);
}

/** The config with the values of a trial in it. */
export function applyValues<Config extends TrainingConfig>(config: Config, values: TrialValues): Config {
  const changed = structuredClone(config);
  for (const [name, value] of Object.entries(values)) {
    const [section, key] = name.split('.') as [keyof TrainingConfig, string];
    (changed[section] as Record<string, unknown>)[key] = value;
  }
  return changed;
}

/** Rounded to what a person would write into a config: three digits, or a whole number. */
function drawValue({ least, most, scale, whole }: TunedParameter, seed: string): number {
  const share = createSeededRandom(seed).uniform();
  const value = scale === 'linear' ? least + share * (most - least) : least * (most / least) ** share;
  return whole === true ? Math.round(value) : Number(value.toPrecision(3));
}
