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

  return {
    describe,
    views: () => stable.views(),
    findProblem: () => stable.findProblem?.(),
    examples: () => stable.examples(),
    checkOverrides: (document) => stable.checkOverrides(document),
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
