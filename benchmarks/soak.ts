/**
 * What grows in a server under ordinary load: a quarter of what it sustains for `--minutes` (5), its memory, file descriptors and handles read
 * every second. Prints a verdict, writes `soak.html` and `soak.json`, and ends with 1 when a limit is broken. `--leak` makes the server
 * leak, to see that it is found.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBenchBundle } from './serving/bench-bundle.js';
import { renderSoakPage, renderVerdict } from './soak/render-soak.js';
import { runSoak } from './soak/run-soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    rate: { type: 'string' },
    leak: { type: 'boolean', default: false },
    cache: { type: 'string', default: 'data/benchmarks' },
    out: { type: 'string', default: 'data/benchmarks' },
  },
});
const size = { items: Number(values.items), users: Number(values.users), seed: 1 };
const result = await runSoak(await openBenchBundle(size, values.cache), {
  seconds: 60 * Number(values.minutes),
  workers: Number(values.workers),
  rate: values.rate === undefined ? undefined : Number(values.rate),
  leaks: values.leak,
  configsDir: values.cache,
  say: (line) => process.stderr.write(`${line}\n`),
});
await mkdir(values.out, { recursive: true });
await writeFile(join(values.out, 'soak.json'), `${JSON.stringify(result, undefined, 2)}\n`);
await writeFile(join(values.out, 'soak.html'), renderSoakPage(result));
console.log(renderVerdict(result));
if (!result.checks.every(({ held }) => held)) process.exitCode = 1;
