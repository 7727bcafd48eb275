import type { BundleRegistry } from '../../bundle/bundle-registry.js';
import { ShortlistError } from '../../domain/errors.js';
import { isInShare } from '../../domain/is-in-share.js';
import { visitorIdOf } from '../../domain/subject.js';
import type { ExperimentRelease } from '../../domain/release.js';
import type { InspectionJson, InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { BundleAdmin, ExperimentDescription } from '../bundle-admin.js';
import type { Recommender } from '../recommender.js';

/** Says which requests an experiment takes, and what it opens for them. */
export interface ExperimentOptions extends Pick<ExperimentDescription, 'channel' | 'share' | 'scenarios'> {
  readonly release: ExperimentRelease;
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
  readonly onChange: (experiment: ExperimentDescription, error?: unknown) => void;
}

/** A recommender with as much of its administration as an experiment needs. */
export type TriedRecommender = Recommender & Pick<BundleAdmin, 'describe' | 'reload' | 'inspect' | 'close'>;

/** A bundle that is tried beside the one in service. Never throws: its failures are reported to `onChange`. */
export interface Experiment {
  /** Finds the recommender for a request; undefined where the request is not in the experiment, or no bundle is open. */
  find(request: RecommendationRequest): Recommender | undefined;
  /** Opens what the channel points at by now, unless that is open already, or is the version in service. */
  reload(stableVersion: string): Promise<void>;
  describe(): ExperimentDescription;
  /** As `BundleAdmin.inspect` does. @throws ShortlistError NOT_READY where no bundle is tried */
  inspect(asked: InspectionRequest): Promise<InspectionJson>;
  close(): Promise<void>;
}

/** A recommender with the version that it has open. */
interface Tried {
  readonly recommender: TriedRecommender;
  version: string | undefined;
}

/** How an experiment stands. */
interface Standing {
  readonly state: ExperimentDescription['state'];
  readonly error?: Error | undefined;
}

/** Tries the bundle of a channel on a share of the users. Nothing is open before the first `reload`. */
export function createExperiment(options: ExperimentOptions): Experiment {
  const { registry, channel } = options;
  const bundle = createTriedBundle(options.createRecommender, refuse);
  let standing: Standing = { state: 'opening' };
  let isClosed = false;
  let last: Promise<void> = Promise.resolve();

  const describe = (): ExperimentDescription =>
    describeExperiment(options, standing, bundle.find()?.describe());

  function enter(state: ExperimentDescription['state'], error?: Error): void {
    standing = { state, error };
    options.onChange(describe(), error);
  }

  function refuse(error: Error): void {
    enter('refused', error);
  }

  async function follow(stableVersion: string): Promise<void> {
    const { version } = await registry.readChannel(channel);
    if (version === stableVersion) {
      await bundle.leave();
      if (standing.state !== 'same') enter('same');
      return;
    }
    bundle.refuseHung(version);
    if (version !== bundle.findVersion()) {
      enter('opening');
      await bundle.open();
      enter('open');
    } else if (standing.state !== 'open') {
      enter('open');
    }
  }

  return {
    find: (request) => (isTried(request, options) ? bundle.find() : undefined),
    reload: (stableVersion) => {
      last = last.then(() => (isClosed ? undefined : follow(stableVersion).catch(refuse)));
      return last;
    },
    describe,
    inspect: async (asked) => {
      const tried = bundle.find();
      if (tried === undefined)
        throw new ShortlistError('NOT_READY', `No bundle is tried as ${options.release} now.`);
      return tried.inspect(asked);
    },
    close: async () => {
      isClosed = true;
      await bundle.abandonOpening();
      await last;
      await bundle.leave();
    },
  };
}

/** The bundle that an experiment has open: the recommender that answers, and the one that is opened while none does. */
interface TriedBundle {
  /** What answers. */
  find(): TriedRecommender | undefined;
  /** The version that it answers with. */
  findVersion(): string | undefined;
  /** @throws Error why the version is not opened again: its model hung here, and would take one more thread with it each time */
  refuseHung(version: string): void;
  /**
   * Opens what the channel points at, in what answers already where there is such.
   * @throws Error why it is refused; what answered before answers on
   */
  open(): Promise<void>;
  /** From now on nothing answers; requests that it has still end on it. */
  leave(): Promise<void>;
  /** Closes what is opened while nothing answers. */
  abandonOpening(): Promise<void>;
}

/** @param onLost is told when what answers hangs or has no thread any more; nothing answers by then */
function createTriedBundle(
  createRecommender: ExperimentOptions['createRecommender'],
  onLost: (error: Error) => void,
): TriedBundle {
  let current: Tried | undefined;
  let opening: Tried | undefined;
  let hung: { readonly version: string | undefined; readonly error: Error } | undefined;

  async function leave(): Promise<void> {
    const left = current;
    current = undefined;
    await left?.recommender.close();
  }

  function create(): Tried {
    const tried: Tried = { recommender: createRecommender({ onHung, onDeserted }), version: undefined };
    return tried;

    function onHung(error: Error): void {
      if (current === tried) hung = { version: tried.version, error };
      onDeserted(error);
    }

    function onDeserted(error: Error): void {
      if (current !== tried) return;
      void leave();
      onLost(error);
    }
  }

  return {
    find: () => current?.recommender,
    findVersion: () => current?.version,
    refuseHung: (version) => {
      if (hung?.version === version) throw hung.error;
    },
    open: async () => {
      const tried = current ?? (opening = create());
      try {
        tried.version = (await tried.recommender.reload()).version;
        current = tried;
      } catch (error) {
        if (current === undefined) await tried.recommender.close();
        throw error;
      } finally {
        opening = undefined;
      }
    },
    leave,
    abandonOpening: async () => opening?.recommender.close(),
  };
}

function isTried({ subject, scenario }: RecommendationRequest, experiment: ExperimentOptions): boolean {
  const visitorId = visitorIdOf(subject);
  if (visitorId === undefined || !experiment.scenarios.includes(scenario)) return false;
  return isInShare(visitorId, experiment.share, { purpose: experiment.release });
}

function describeExperiment(
  { release, channel, share, scenarios }: ExperimentOptions,
  { state, error }: Standing,
  bundle: ExperimentDescription['bundle'],
): ExperimentDescription {
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
