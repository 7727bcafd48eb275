import t from 'tap';
import { NOBODY } from '../../../src/domain/subject.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { processClock } from '../../../src/domain/process-clock.js';
import {
  createExperiment,
  type Experiment,
  type ExperimentOptions,
} from '../../../src/serving/experiments/experiment.js';
import { administerExperiments } from '../../../src/serving/experiments/experiments-admin.js';
import type { Run } from '../../../src/serving/recommender.js';
import { withCanary } from '../../../src/serving/stack.js';
import { MemoryService } from '../../http/memory-service.js';

const TRIED = '20240603T120000Z-00000000';
const SAME = '20240602T120000Z-5e6f7a8b';

/** A service in memory that remembers how much time it was given, and opens the version that it is told to. */
class TimedService extends MemoryService {
  readonly times: number[] = [];
  version = SAME;
  /** Thrown by reloads. */
  refusal: unknown;
  reloads = 0;
  override async recommend(request: RecommendationRequest, { deadline }: Run) {
    this.times.push(deadline! - processClock());
    return super.recommend(request);
  }
  override async reload() {
    this.reloads++;
    if (this.refusal !== undefined) throw this.refusal;
    this.bundle = { ...(await super.reload()), version: this.version };
    return this.bundle;
  }
}

const request: RecommendationRequest = {
  subject: { userId: '42' },
  scenario: 'home',
  limit: 3,
  exclude: [],
  filters: [],
  explain: 'none',
};
/** A run with milliseconds to its deadline. */
const within = (milliseconds: number): Run => ({ deadline: processClock() + milliseconds });

function setUp(changes: Partial<ExperimentOptions> = {}) {
  const stable = new TimedService();
  stable.bundle = undefined;
  const pointer = { version: TRIED, failure: undefined as unknown };
  const services: TimedService[] = [];
  const states: string[] = [];
  let hang: (error: Error) => void = () => undefined;
  let desert: (error: Error) => void = () => undefined;
  const canary: Experiment = createExperiment({
    release: 'canary',
    channel: 'candidate',
    share: 1,
    scenarios: ['home'],
    registry: {
      readChannel: async () => {
        if (pointer.failure !== undefined) throw pointer.failure;
        return { version: pointer.version, previous: [], updatedAt: '' };
      },
    },
    createRecommender: ({ onHung, onDeserted }) => {
      hang = onHung;
      desert = onDeserted;
      const service = new TimedService();
      service.bundle = undefined;
      service.version = pointer.version;
      services.push(service);
      return service;
    },
    onChange: ({ state }) => {
      states.push(state);
      admin.changed();
    },
    ...changes,
  });
  const counts = { answered: 0, failed: [] as unknown[] };
  const admin = administerExperiments(stable, [canary]);
  const observer = {
    answered: () => counts.answered++,
    failed: (error: unknown) => counts.failed.push(error),
  };
  const service = { ...admin, ...withCanary(stable, canary, observer) };
  /** Opens both. */
  const open = async () => {
    await service.reload();
    await service.reload();
    states.length = 0;
    return services.at(-1)!;
  };
  return {
    stable,
    service,
    services,
    pointer,
    states,
    counts,
    open,
    canary,
    hang: (error: Error) => hang(error),
    desert: (error: Error) => desert(error),
  };
}

const overloaded = new ShortlistError('OVERLOADED', 'too much');
const unknown = new ShortlistError('UNKNOWN_ATTRIBUTE', 'nobody knows it');

t.test('a user of the share is answered by the canary, within half of the time', async (t) => {
  const { service, stable, open, counts } = setUp();
  const canary = await open();
  const answer = await service.recommend(request, within(1000));
  t.match(answer, { release: 'canary', facts: { bundle: TRIED } });
  await service.recommend(request, within(100));
  const [first, second] = canary.times;
  t.ok(first! > 400 && first! <= 500, `${first}`);
  t.ok(second! > 30 && second! <= 50, `${second}`);
  t.same(stable.times, []);
  t.equal(counts.answered, 2);
  for (const other of [
    { ...request, scenario: 'popular' },
    { ...request, subject: NOBODY },
    { ...request, subject: { itemId: '1' } },
  ]) {
    t.match(await service.recommend(other, within(1000)), { facts: { bundle: SAME }, release: undefined });
  }
  t.equal(counts.answered, 2);
});

t.test('what the canary cannot answer the stable bundle does, in the time that is left', async (t) => {
  for (const failure of [overloaded, new TypeError('a mistake'), unknown]) {
    const { service, stable, open, counts } = setUp();
    (await open()).failure = failure;
    const answer = await service.recommend(request, within(400));
    t.match(answer, { facts: { bundle: SAME }, release: undefined });
    t.ok(stable.times[0]! > 0 && stable.times[0]! <= 400);
    t.same(counts, { answered: 0, failed: [failure] });
  }
});

t.test('a mistake of the client is told by the stable bundle, and is no failure of the canary', async (t) => {
  const { service, stable, open, counts } = setUp();
  (await open()).failure = unknown;
  stable.failure = new ShortlistError('UNKNOWN_ATTRIBUTE', 'the stable one says so');
  await t.rejects(async () => service.recommend(request, within(1000)), {
    message: 'the stable one says so',
  });
  t.same(counts.failed, []);
});

t.test('when neither can answer, the client gets the error of the stable bundle', async (t) => {
  const { service, stable, open, counts } = setUp();
  (await open()).failure = new TypeError('a mistake');
  stable.failure = overloaded;
  await t.rejects(async () => service.recommend(request, within(1000)), { code: 'OVERLOADED' });
  t.equal(counts.failed.length, 1);
});

t.test('the start does not wait for the trial, a reload does', async (t) => {
  const { service, services, pointer } = setUp();
  t.equal(service.describe(), undefined);
  t.equal(service.views(), undefined);
  const changes: (string | undefined)[] = [];
  service.onChange!(() => changes.push(service.describe()?.trials?.[0]?.state));
  t.match(await service.reload(), {
    version: SAME,
    trials: [{ state: 'opening', channel: 'candidate', share: 1 }],
  });
  t.match(await service.reload(), { trials: [{ state: 'open', bundle: { version: TRIED } }] });
  t.same(changes, ['opening', 'open']);
  t.equal(services[0]!.reloads, 1, 'what is open is not opened again');
  pointer.version = '20240604T120000Z-00000000';
  services[0]!.version = pointer.version;
  t.match(await service.reload(), { trials: [{ state: 'open', bundle: { version: pointer.version } }] });
  t.equal(services.length, 1, 'its service swaps');
  await service.close();
  t.ok(services[0]!.closed);
});

t.test('a trial that is refused tells why, and the one before goes on', async (t) => {
  const { service, services, pointer, open, states } = setUp();
  const canary = await open();
  pointer.version = '20240604T120000Z-00000000';
  canary.refusal = new ShortlistError('INVALID_BUNDLE', 'its hash differs');
  t.match(await service.reload(), {
    version: SAME,
    trials: [{ state: 'refused', problem: 'its hash differs', bundle: { version: TRIED } }],
  });
  t.match(await service.recommend(request, within(1000)), { release: 'canary' });
  pointer.failure = new ShortlistError('REGISTRY_FAILED', 'the bucket is away');
  t.match((await service.reload()).trials, [{ state: 'refused', problem: 'the bucket is away' }]);
  Object.assign(pointer, { version: TRIED, failure: undefined });
  t.match((await service.reload()).trials, [{ state: 'open', problem: undefined }]);
  t.equal(canary.reloads, 2, 'what goes on is not opened again');
  t.same(states, ['opening', 'refused', 'refused', 'open']);
  t.equal(services.length, 1);
});

t.test('a first trial that is refused leaves nothing open, and is tried again', async (t) => {
  const { service, services, pointer } = setUp();
  pointer.failure = new ShortlistError('BUNDLE_NOT_FOUND', 'points nowhere');
  await service.reload();
  t.match((await service.reload()).trials, [
    { state: 'refused', problem: 'points nowhere', bundle: undefined },
  ]);
  t.match(await service.recommend(request, within(1000)), { facts: { bundle: SAME } });
  pointer.failure = undefined;
  t.match((await service.reload()).trials, [{ state: 'open' }]);
  t.equal(services.length, 1);
});

t.test('a bundle that cannot be opened is closed', async (t) => {
  const refused = new TimedService();
  refused.bundle = undefined;
  refused.refusal = new ShortlistError('INVALID_BUNDLE', 'no');
  const { service } = setUp({ createRecommender: () => refused });
  await service.reload();
  t.match((await service.reload()).trials, [{ state: 'refused', problem: 'no' }]);
  t.ok(refused.closed);
});

t.test(
  'whether a reload succeeds is up to the stable bundle; trials are reloaded all the same',
  async (t) => {
    const { service, stable, pointer, open } = setUp();
    const canary = await open();
    stable.refusal = new ShortlistError('INVALID_BUNDLE', 'no');
    pointer.version = canary.version = '20240604T120000Z-00000000';
    await t.rejects(service.reload(), { code: 'INVALID_BUNDLE' });
    t.match(service.describe(), { version: SAME, trials: [{ bundle: { version: pointer.version } }] });
  },
);

t.test('when the first bundle of the stable channel is refused, nothing is tried', async (t) => {
  const { service, stable, services } = setUp();
  stable.refusal = new ShortlistError('INVALID_BUNDLE', 'no');
  await t.rejects(service.reload(), { code: 'INVALID_BUNDLE' });
  t.equal(services.length, 0);
});

t.test('a trial of the bundle in service ends, and begins again with another', async (t) => {
  const { service, services, pointer, open, states } = setUp();
  const canary = await open();
  pointer.version = SAME;
  t.match((await service.reload()).trials, [{ state: 'same', bundle: undefined }]);
  await service.reload();
  t.ok(canary.closed);
  t.match(await service.recommend(request, within(1000)), { facts: { bundle: SAME }, release: undefined });
  pointer.version = TRIED;
  t.match((await service.reload()).trials, [{ state: 'open' }]);
  t.equal(services.length, 2);
  t.same(states, ['same', 'opening', 'open']);
});

t.test('a trial that hangs is taken out, and its version is not opened again', async (t) => {
  const { service, services, pointer, open, hang, states } = setUp();
  const canary = await open();
  hang(new Error('it hangs'));
  t.same(states, ['refused']);
  hang(new Error('another thread of it hangs'));
  t.match(service.describe()!.trials, [{ state: 'refused', problem: 'it hangs', bundle: undefined }]);
  t.match(await service.recommend(request, within(1000)), { facts: { bundle: SAME } });
  t.match((await service.reload()).trials, [{ state: 'refused', problem: 'it hangs' }]);
  t.equal(services.length, 1);
  t.ok(canary.closed);
  pointer.version = '20240604T120000Z-00000000';
  t.match((await service.reload()).trials, [{ state: 'open' }]);
});

t.test('closing while a trial is opened ends its opening', async (t) => {
  let give: (error: Error) => void = () => undefined;
  const slow = new TimedService();
  slow.bundle = undefined;
  slow.reload = () => new Promise((_resolve, reject) => (give = reject));
  slow.close = async () => {
    slow.closed = true;
    give(new Error('given up'));
  };
  const { service, states } = setUp({ createRecommender: () => slow });
  await service.reload();
  while (!states.includes('opening')) await new Promise(setImmediate);
  await service.close();
  t.ok(slow.closed);
  t.equal(states.at(-1), 'refused');
});

t.test('without trials it is the stable service', async (t) => {
  const stable = new TimedService();
  const service = administerExperiments(stable, []);
  t.notHas(await service.reload(), 'trials');
  await service.close();
  t.ok(stable.closed);
});

t.test('a trial that lost its threads is taken out, and opened again at the next reload', async (t) => {
  const { service, services, open, desert, states } = setUp();
  await open();
  desert(new Error('there is no thread'));
  t.match(service.describe()!.trials, [
    { state: 'refused', problem: 'there is no thread', bundle: undefined },
  ]);
  t.match((await service.reload()).trials, [{ state: 'open' }]);
  t.equal(services.length, 2);
  t.same(states, ['refused', 'opening', 'open']);
});
