import type { BundleRegistry } from '../../bundle/bundle-registry.js';
import { isInShare } from '../../domain/is-in-share.js';
import type { TrialRelease } from '../../domain/release.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { BundleAdmin, TrialDescription } from '../bundle-admin.js';
import type { Recommender } from '../recommender.js';

/** Says which requests an experiment takes, and what it opens for them. */
export interface ExperimentOptions extends Pick<TrialDescription, 'channel' | 'share' | 'scenarios'> {
  readonly release: TrialRelease;
  readonly registry: Pick<BundleRegistry, 'readChannel'>;
  /**
   * Creates the recommender of the channel, whose bundle is not open yet.
   * @param options.onHung is to be told when a thread of it hangs: such a bundle is asked nothing any more
   * @param options.onDeserted is to be told when it has no thread any more and none can be opened: it may be tried again later
   */
  readonly createRecommender: (options: {
    onHung: (error: Error) => void;
    onDeserted: (error: Error) => void;
  }) => TriedRecommender;
  /** Is told whenever the state of the experiment is another one, with why it was refused; it must not throw. */
  readonly onChange: (trial: TrialDescription, error?: unknown) => void;
}

/** A recommender with as much of its administration as an experiment needs. */
export type TriedRecommender = Recommender & Pick<BundleAdmin, 'describe' | 'reload' | 'close'>;

/** A bundle that is tried beside the one in service. Never throws: its failures are reported to `onChange`. */
export interface Experiment {
  /** Finds the recommender for a request; undefined where the request is not in the experiment, or no bundle is open. */
  find(request: RecommendationRequest): Recommender | undefined;
  /** Opens what the channel points at by now, unless that is open already, or is the version in service. */
  reload(stableVersion: string): Promise<void>;
  describe(): TrialDescription;
  close(): Promise<void>;
}

/** A recommender with the version that it has open. */
interface Tried {
  readonly recommender: TriedRecommender;
  version: string | undefined;
}

/** How an experiment stands. */
interface Standing {
  state: TrialDescription['state'];
  error: Error | undefined;
  /** What answers. */
  current: Tried | undefined;
  /** What is opened while nothing answers. */
  opening: Tried | undefined;
  /** A version whose model hung here: each time it is opened it would take one more thread with it. */
  hung: { version: string | undefined; error: Error } | undefined;
}

/** Tries the bundle of a channel on a share of the users. Nothing is open before the first `reload`. */
export function createExperiment(options: ExperimentOptions): Experiment {
  const { registry, channel } = options;
  const standing: Standing = {
    state: 'opening',
    error: undefined,
    current: undefined,
    opening: undefined,
    hung: undefined,
  };
  let isClosed = false;
  let last: Promise<void> = Promise.resolve();

  function enter(state: TrialDescription['state'], error?: Error): void {
    Object.assign(standing, { state, error });
    options.onChange(describe(standing, options), error);
  }

  /** Requests that it has still end on it. */
  async function leave(): Promise<void> {
    const left = standing.current;
    standing.current = undefined;
    await left?.recommender.close();
  }

  function create(): Tried {
    const tried: Tried = {
      recommender: options.createRecommender({ onHung, onDeserted }),
      version: undefined,
    };
    return tried;

    function onHung(error: Error): void {
      if (standing.current === tried) standing.hung = { version: tried.version, error };
      onDeserted(error);
    }

    function onDeserted(error: Error): void {
      if (standing.current !== tried) return;
      void leave();
      enter('refused', error);
    }
  }

  async function open(): Promise<void> {
    enter('opening');
    const tried = standing.current ?? (standing.opening = create());
    try {
      tried.version = (await tried.recommender.reload()).version;
      standing.current = tried;
    } catch (error) {
      if (standing.current === undefined) await tried.recommender.close();
      throw error;
    } finally {
      standing.opening = undefined;
    }
    enter('open');
  }

  async function follow(stableVersion: string): Promise<void> {
    const { version } = await registry.readChannel(channel);
    if (version === stableVersion) {
      await leave();
      if (standing.state !== 'same') enter('same');
    } else if (version === standing.hung?.version) {
      throw standing.hung.error;
    } else if (version !== standing.current?.version) {
      await open();
    } else if (standing.state !== 'open') {
      enter('open');
    }
  }

  return {
    find: (request) => (isTried(request, options) ? standing.current?.recommender : undefined),
    reload: (stableVersion) => {
      const refuse = (error: Error): void => enter('refused', error);
      last = last.then(() => (isClosed ? undefined : follow(stableVersion).catch(refuse)));
      return last;
    },
    describe: () => describe(standing, options),
    close: async () => {
      isClosed = true;
      await standing.opening?.recommender.close();
      await last;
      await leave();
    },
  };
}

function isTried({ subject, scenario }: RecommendationRequest, trial: ExperimentOptions): boolean {
  if (subject.userId === undefined || !trial.scenarios.includes(scenario)) return false;
  return isInShare(subject.userId, trial.share, { purpose: trial.release });
}

function describe({ state, error, current }: Standing, trial: ExperimentOptions): TrialDescription {
  const { release, channel, share, scenarios } = trial;
  const bundle = current?.recommender.describe();
  return {
    release,
    channel,
    share,
    scenarios,
    state,
    ...(error !== undefined && { problem: error.message }),
    ...(bundle !== undefined && { bundle }),
  };
}
