/**
 * Seconds, processor time and peak memory of every stage of full training (each source, the features, training rows, ranker) on generated
 * interactions with a long tail, at the shipped config. Arguments: `--interactions 100000,1000000`, `--protocol chronological`.
 * `--als-epochs 2` times so many passes of iALS alone, for sizes that take too long as a whole. `--threads 1` fits what stage 1 consists of one after the
 * other; else it is fitted side by side, as `train` does, and is one line. Each size runs in a process of its own, because the peak of a process never falls.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfigFile } from '../src/config/read-config-file.js';
import { readScenarios } from '../src/config/scenario-config.js';
import { TrainingConfig } from '../src/config/training-config.js';
import { codeValues, type AttributeColumn } from '../src/domain/catalogue.js';
import { IdIndex } from '../src/domain/id-index.js';
import { toHistories, type InteractionTable } from '../src/domain/interactions.js';
import { createSeededRandom, type SeededRandom } from '../src/domain/seeded-random.js';
import { judgeTimes } from '../src/domain/time-facts.js';
import { SECONDS_PER_DAY } from '../src/domain/time.js';
import { trainImplicitAls } from '../src/offline/training/candidates/implicit-als.js';
import type { TrainingProtocol } from '../src/config/evaluation-protocol.js';
import { alignColumns } from '../src/offline/report/align-columns.js';
import type { PreparedDataset } from '../src/offline/data/prepared-dataset.js';
import type { ProgressReporter } from '../src/offline/progress/progress.js';
import { trainBundle } from '../src/offline/training/bundle/train-bundle.js';

const TASTES = 20;
const DAYS = 365;
const START = 1_700_000_000;
/** One in so many interactions is a robot's, which takes whatever there is. */
const ROBOT_SHARE = 0.005;

const { values } = parseArgs({
  options: {
    interactions: { type: 'string', default: '100000' },
    protocol: { type: 'string', default: 'rolling' },
    configs: { type: 'string', default: 'configs' },
    'als-epochs': { type: 'string' },
    threads: { type: 'string' },
  },
});
const sizes = values.interactions.split(',').map(Number);
const alsEpochs = values['als-epochs'];
const threads = values.threads === undefined ? undefined : Number(values.threads);
if (sizes.length > 1) for (const size of sizes) measureApart(size);
else if (alsEpochs !== undefined) await measureAls(sizes[0]!, Number(alsEpochs));
else await measure(sizes[0]!);

function measureApart(size: number): void {
  const given = Object.entries({ ...values, interactions: String(size) });
  const options = given.flatMap(([name, value]) => [`--${name}`, value]);
  const { status } = spawnSync(process.execPath, [...process.execArgv, process.argv[1]!, ...options], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

async function measureAls(size: number, epochs: number): Promise<void> {
  const { interactions, catalogue } = generateDataset(size);
  const { als, seed } = readConfigFile(TrainingConfig, join(values.configs, 'training.yaml'));
  const histories = toHistories(interactions);
  const before = toMegabytes(process.resourceUsage().maxRSS);
  const read = startClock();
  // The time of a pass does not depend on these two.
  await trainImplicitAls(histories, {
    ...als,
    unobservedWeight: 0.1,
    regularisation: 0.01,
    epochs,
    seed,
    itemCount: catalogue.entities.size,
    threads: threads ?? availableParallelism(),
  });
  const { seconds, cpuSeconds, peak } = read();
  const rows = histories.items.length.toLocaleString('en');
  const [wall, cpu] = [seconds, cpuSeconds].map((spent) => (spent / epochs).toFixed(2));
  console.log(
    `iALS on ${rows} pairs: ${cpu} s of processor time an epoch, ${wall} s of wall time, ` +
      `peak ${toMegabytes(peak)} MB (${before} MB before)`,
  );
}

async function measure(size: number): Promise<void> {
  const dataset = generateDataset(size);
  const { interactions, catalogue } = dataset;
  const config = readConfigFile(TrainingConfig, join(values.configs, 'training.yaml'));
  const generated = `${toMegabytes(process.resourceUsage().maxRSS)} MB after generating`;
  const facts = [interactions.user.length, interactions.users.size, catalogue.entities.size];
  const [rows, users, items] = facts.map((count) => count.toLocaleString('en'));
  console.log(
    `\n${rows} interactions, ${users} users, ${items} items, protocol ${values.protocol}; ${generated}\n`,
  );
  const stages = createStageClock();
  await trainBundle({ train: interactions, knownUntil: dataset.window.to + 1 }, dataset, {
    config,
    trainingProtocol: values.protocol as TrainingProtocol,
    scenario: readScenarios(join(values.configs, 'scenarios')).get('home')!,
    progress: stages.progress,
    threads,
  });
  stages.print();
}

interface Stage {
  readonly label: string;
  runs: number;
  seconds: number;
  cpuSeconds: number;
  /** Kilobytes. */
  peak: number;
}

/** Adds up the steps that come again with every cut. */
function createStageClock(): { progress: ProgressReporter; print(): void } {
  const stages = new Map<string, Stage>();
  const startWhole = startClock();
  const progress: ProgressReporter = {
    start: (label) => {
      const kind = label.replace(
        / (\d{4}-.*|chronological.*|random.*|on [\d,]+ rows|of [\d,]+ items.*)$/,
        '',
      );
      const read = startClock();
      return {
        advance: () => undefined,
        finish: (summary = '') => {
          const stage = stages.get(kind) ?? { label: kind, runs: 0, seconds: 0, cpuSeconds: 0, peak: 0 };
          const spent = read();
          stage.runs++;
          stage.seconds += spent.seconds;
          stage.cpuSeconds += spent.cpuSeconds;
          stage.peak = spent.peak;
          stages.set(kind, stage);
          process.stderr.write(`${label}: ${summary} (${spent.cpuSeconds.toFixed(1)} s of processor time)\n`);
        },
      };
    },
  };
  return {
    progress,
    print: () => {
      const whole = startWhole();
      const timed = [...stages.values()];
      const rest = (of: 'seconds' | 'cpuSeconds'): number =>
        whole[of] - timed.reduce((sum, stage) => sum + stage[of], 0);
      const lines = [
        ...timed,
        { ...whole, label: 'all else', runs: 1, seconds: rest('seconds'), cpuSeconds: rest('cpuSeconds') },
        { ...whole, label: 'total', runs: 1 },
      ];
      const head = ['stage', 'runs', 'seconds', 'of processor', 'peak RSS so far, MB'];
      const body = lines.map((line) => [
        line.label,
        String(line.runs),
        line.seconds.toFixed(1),
        line.cpuSeconds.toFixed(1),
        toMegabytes(line.peak),
      ]);
      console.log(alignColumns([head, ...body]).join('\n'));
    },
  };
}

/** What has been spent since, and the peak of the process. */
function startClock(): () => Pick<Stage, 'seconds' | 'cpuSeconds' | 'peak'> {
  const started = performance.now();
  const startCpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(startCpu);
    return {
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peak: process.resourceUsage().maxRSS,
    };
  };
}

function toMegabytes(kilobytes: number): string {
  return Math.round(kilobytes / 1024).toLocaleString('en');
}

/** Users of two tastes each, over a year: 40 interactions a user on average, 10 · √interactions items, both long-tailed. */
function generateDataset(size: number): PreparedDataset {
  const random = createSeededRandom(1);
  const itemCount = Math.round(10 * Math.sqrt(size));
  const users = new IdIndex(Array.from({ length: Math.round(size / 40) }, (_, user) => `u${user}`));
  const items = new IdIndex(Array.from({ length: itemCount }, (_, item) => `i${item}`));
  const interactions = drawInteractions(size, { users, items, random });
  return {
    name: 'generated',
    description: '',
    licence: '',
    fingerprint: `generated-${size}`,
    window: { from: START, to: START + DAYS * SECONDS_PER_DAY },
    evaluation: { protocol: 'rolling' },
    views: { items: {}, users: {}, declared: [] },
    interactions,
    catalogue: {
      entities: items,
      attributes: [
        attribute(
          'genres',
          'multi-valued',
          Array.from({ length: itemCount }, (_, item) => [`g${item % TASTES}`]),
        ),
        attribute(
          'year',
          'numeric',
          Array.from({ length: itemCount }, () => 1980 + random.integer(45)),
        ),
      ],
    },
    users: { entities: users, attributes: [] },
  };
}

function attribute(
  name: string,
  role: AttributeColumn['role'],
  given: AttributeColumn['values'],
): AttributeColumn {
  const coded = role === 'numeric' ? {} : { coded: codeValues(given) };
  return { name, role, shown: true, filterable: true, feature: true, values: given, ...coded };
}

/** Activity and popularity fall off as power laws; the first user is a robot. */
function drawInteractions(
  size: number,
  { users, items, random }: { users: IdIndex; items: IdIndex; random: SeededRandom },
): InteractionTable {
  const lengths = drawLengths(size, users.size, random);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const table = {
    user: new Int32Array(total),
    item: new Int32Array(total),
    timestamp: new Float64Array(total),
    value: new Float32Array(total).fill(1),
  };
  let row = 0;
  lengths.forEach((length, user) => {
    const joined = user === 0 ? 0 : DAYS * random.uniform() * 0.95;
    const tastes = [random.integer(TASTES), random.integer(TASTES)];
    table.timestamp.set(
      Float64Array.from(
        { length },
        () => START + Math.floor((joined + (DAYS - joined) * random.uniform()) * SECONDS_PER_DAY),
      ).sort(),
      row,
    );
    for (const end = row + length; row < end; row++) {
      table.user[row] = user;
      table.item[row] = drawItem(random, { count: items.size, tastes: user === 0 ? [] : tastes });
    }
  });
  return { users, items, ...table, times: judgeTimes(table) };
}

function drawLengths(size: number, users: number, random: SeededRandom): Uint32Array {
  const activity = Float64Array.from({ length: users }, () => Math.exp(1.1 * random.normal()));
  activity[0] = 0;
  const robot = Math.round(ROBOT_SHARE * size);
  const scale = (size - robot) / activity.reduce((sum, value) => sum + value, 0);
  const lengths = Uint32Array.from(activity, (value) => Math.max(1, Math.round(scale * value)));
  lengths[0] = robot;
  return lengths;
}

/** Items of one taste are those whose index leaves the same rest; low indexes are popular. */
function drawItem(
  random: SeededRandom,
  { count, tastes }: { count: number; tastes: readonly number[] },
): number {
  const item = Math.floor(count * random.uniform() ** 3);
  if (tastes.length === 0 || random.uniform() < 0.3) return item;
  const taste = tastes[random.integer(tastes.length)]!;
  return Math.min(count - 1, item - (item % TASTES) + taste);
}
