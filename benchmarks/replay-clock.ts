import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfigFile } from '../src/config/read-config-file.js';
import { readScenarios } from '../src/config/scenario-config.js';
import { TrainingConfig } from '../src/config/training-config.js';
import { openEngine } from '../src/engine/open-engine.js';
import { closeEngine } from '../src/engine/close-engine.js';
import { readPreparedDataset } from '../src/offline/data/prepared-dataset.js';
import { replaySplit, type ReplayedSplit } from '../src/offline/evaluation/replay/replay-split.js';
import { renderReplayTable } from '../src/offline/evaluation/replay/replay-table.js';
import { summariseReplay } from '../src/offline/evaluation/replay/summarise-replay.js';
import { pairedBootstrap } from '../src/offline/protocol/paired-bootstrap.js';
import { createLineProgress } from '../src/offline/progress/line-progress.js';
import { makeTestSplits } from '../src/offline/protocol/make-splits.js';
import { trainBundle } from '../src/offline/training/bundle/train-bundle.js';
import { writeTrainedBundle } from '../src/offline/training/bundle/write-trained-bundle.js';
import type { EvaluationProtocol } from '../src/config/evaluation-protocol.js';

const { values } = parseArgs({
  options: {
    prepared: { type: 'string' },
    out: { type: 'string' },
    protocol: { type: 'string' },
    clocks: { type: 'string', default: 'clamped,latest,request' },
    users: { type: 'string', default: '1000' },
    events: { type: 'string', default: '20' },
    horizon: { type: 'string' },
  },
});
const dataset = await readPreparedDataset(values.prepared!);
const scenarios = readScenarios('configs/scenarios');
const scenario = scenarios.get('home')!;
const base = readConfigFile(TrainingConfig, 'configs/training.yaml');
const config = values.horizon
  ? { ...base, evaluation: { ...base.evaluation, horizonDays: Number(values.horizon) } }
  : base;
const protocol = values.protocol as EvaluationProtocol;
const progress = createLineProgress(process.stderr);
const limits = { users: Number(values.users), events: Number(values.events) };
const found = new Map<string, ReplayedSplit[]>();
const labelledCuts = new Map();
let split_ = 0;
for (const split of makeTestSplits(dataset.interactions, protocol, config)) {
  const folder = join(values.out!, String(split_++), 'bundle');
  if (!existsSync(folder)) {
    mkdirSync(join(folder, '..'), { recursive: true });
    const options = { config, protocol, scenario, progress, labelledCuts };
    const trained = await trainBundle(split, dataset, options);
    await writeTrainedBundle(folder, trained, {
      dataset,
      config,
      provenance: { createdAt: '2026-01-02T03:04:05Z', codeVersion: '0' },
    });
  }
  const engine = await openEngine(
    folder,
    new Map([...scenarios].filter(([name]) => name === 'home' || name === scenario.coldStart)),
  );
  for (const clock of values.clocks.split(',')) {
    const replayed = await replaySplit(
      split,
      { ...engine, liveClock: clock as 'clamped' },
      { limits, seed: 42, k: 10, scenario: 'home', progress },
    );
    found.set(clock, [...(found.get(clock) ?? []), replayed]);
  }
  await closeEngine(engine);
}
const ranks = (clock: string): number[] => found.get(clock)!.flatMap((s) => s.reciprocalRanks.live);
for (const [clock, splits] of found) {
  console.log(`\n## ${clock}\n${renderReplayTable(summariseReplay(splits, { limits, seed: 42 }), 10)}`);
}
const users = [...found.values()][0]!.flatMap((s) => s.users);
for (const clock of found.keys())
  console.log(
    clock,
    'over clamped',
    'HR',
    pairedBootstrap(ranks(clock).map(Math.sign), ranks([...found.keys()][0]!).map(Math.sign), {
      seed: 42,
      users,
    }),
    'MRR',
    pairedBootstrap(ranks(clock), ranks([...found.keys()][0]!), { seed: 42, users }),
  );
writeFileSync(join(values.out!, 'replay.json'), JSON.stringify(Object.fromEntries(found)));
