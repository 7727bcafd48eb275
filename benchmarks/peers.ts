/**
 * Shortlist, uncached and cached, beside the service that a team would build in Python (see docs/performance.md): each server alone, with the
 * same bundle, the same users and the same generators, in rounds. Prints tables, and writes `peers.svg` and `peers.json` with every number.
 * `--add` adds its rounds to those of the `peers.json` that is there, which must be of the same commit.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportUsers } from './peers/export-users.js';
import { startGenerator } from './peers/generator.js';
import { findOtherGenerators, listVersions } from './peers/independent.js';
import { measureRound, type Round } from './peers/measure-peers.js';
import { installPython, listPythonVersions } from './peers/python-server.js';
import { type PeersResult, plotPeers, readGorse, renderPeers } from './peers/render-peers.js';
import { openBenchBundle } from './serving/bench-bundle.js';
import { readConditions } from './serving/run-conditions.js';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    users: { type: 'string', default: '100000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    add: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    cache: { type: 'string', default: 'data/benchmarks' },
    out: { type: 'string', default: 'data/benchmarks' },
  },
});
const size = {
  items: readCount('items', 1000),
  users: readCount('users', 1),
  workers: readCount('workers', 1),
};
const more = readCount('rounds', 1);
const seconds = readCount('seconds', 1);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const conditions = await readConditions();
const file = join(values.out, 'peers.json');
const before = values.add ? (JSON.parse(await readFile(file, 'utf8')) as PeersResult) : undefined;
if (before !== undefined && before.commit !== conditions.commit) {
  throw new Error(`${file} is of commit ${before.commit}: measure anew, without --add`);
}

const folder = join(values.cache, 'peers');
await mkdir(folder, { recursive: true });
say('packages of Python');
const interpreter = await installPython(join(folder, 'venv'), values.python);
const bundle = await openBenchBundle({ ...size, seed: 1 }, values.cache);
const users = join(folder, 'users.safetensors');
await exportUsers(bundle, users);
const others = await findOtherGenerators(folder);
for (const name of ['wrk', 'vegeta'] as const)
  if (!others[name]) say(`${name} is not on the PATH: it is left out`);
const rounds: Round[] = [...(before?.rounds ?? [])];
const first = rounds.length;
const generator = startGenerator();
try {
  for (let round = first; round < first + more; round++) {
    const options = {
      bundle,
      python: { interpreter, users },
      generator,
      others,
      cacheDir: values.cache,
      say,
    };
    rounds.push(await measureRound(round, { ...options, workers: size.workers, seconds }));
  }
} finally {
  generator.stop();
}
const versions = [...(await listPythonVersions(interpreter)), ...(await listVersions(others))];
const result: PeersResult = {
  ...(before ?? { ...conditions, size, seconds, versions }),
  rounds,
};
await mkdir(values.out, { recursive: true });
await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
await writeFile(join(values.out, 'peers.svg'), plotPeers(result));
console.log(renderPeers(result, await readGorse()));

/** @throws Error before anything is installed or measured */
function readCount(option: 'items' | 'users' | 'workers' | 'rounds' | 'seconds', least: number): number {
  const value = Number(values[option]);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${option} is ${values[option]}, allowed is a whole number of ${least} or more`);
}
