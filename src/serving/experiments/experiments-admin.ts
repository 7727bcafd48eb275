import { ShortlistError } from '../../domain/errors.js';
import type { InspectionJson, InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { BundleAdmin, ServiceDescription } from '../bundle-admin.js';
import type { Experiment } from './experiment.js';

/** Administers the bundle in service together with those that are tried beside it. */
export interface ExperimentsAdmin extends BundleAdmin {
  onChange(listener: () => void): void;
  /** Tells the listeners that the state of an experiment is another one. */
  readonly changed: () => void;
}

/**
 * One admin over several bundles. Whether a reload succeeds is up to the stable bundle alone.
 * @param experiments are opened, reloaded and closed with the stable bundle
 */
export function administerExperiments(
  stable: BundleAdmin,
  experiments: readonly Experiment[],
): ExperimentsAdmin {
  const listeners: (() => void)[] = [];

  function describe(): ServiceDescription | undefined {
    const described = stable.describe();
    if (described === undefined || experiments.length === 0) return described;
    return { ...described, trials: experiments.map((experiment) => experiment.describe()) };
  }

  async function reloadExperiments(): Promise<void> {
    const version = stable.describe()?.version;
    if (version !== undefined) await Promise.all(experiments.map((experiment) => experiment.reload(version)));
  }

  const inspectOne = createTurnstile();

  function inspect(asked: InspectionRequest): Promise<InspectionJson> {
    const { release } = asked;
    if (release === 'stable') return stable.inspect(asked);
    const tried = experiments.find((experiment) => experiment.describe().release === release);
    if (tried === undefined)
      throw new ShortlistError(
        'INVALID_REQUEST',
        `release is "${release}", and the settings name no channel of it: nothing is tried.`,
      );
    return tried.inspect(asked);
  }

  return {
    describe,
    views: () => stable.views(),
    findProblem: () => stable.findProblem?.(),
    examples: () => stable.examples(),
    checkOverrides: (document) => stable.checkOverrides(document),
    inspect: (asked) => inspectOne(async () => inspect(asked)),
    findItems: (search) => stable.findItems(search),
    reload: async (options) => {
      const isStart = stable.describe() === undefined;
      try {
        await stable.reload(options);
      } finally {
        const reloading = reloadExperiments();
        // The first reload gates readiness, so it does not wait for canary or shadow.
        if (!isStart) await reloading;
      }
      return describe()!;
    },
    onChange: (listener) => void listeners.push(listener),
    changed: () => listeners.forEach((listener) => listener()),
    close: async () => {
      await Promise.all(experiments.map((experiment) => experiment.close()));
      await stable.close();
    },
  };
}

/** Lets one work through at a time; who comes meanwhile is refused. */
function createTurnstile() {
  let isTaken = false;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (isTaken) throw new ShortlistError('OVERLOADED', 'Another inspection is under way.');
    isTaken = true;
    try {
      return await work();
    } finally {
      isTaken = false;
    }
  };
}
