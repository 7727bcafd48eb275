/**
 * What serving costs and bears, on a generated bundle (see docs/performance.md): the bare kernels, the pipeline in one thread, a
 * server under an open-loop load from saturation to overload and through a swap, and cost against size. Prints tables, and writes
 * `serving.html` with plots and `serving.json` with every number. `--only kernels,pipeline,serving,sizes` runs a part.
 */
import { parseArgs } from 'node:util';
import { availableParallelism } from 'node:os';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureAll, PARTS, type Part } from './serving/measure-all.js';
import { renderTables } from './serving/render-tables.js';
import { renderPlots } from './serving/render-plots.js';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    users: { type: 'string', default: '1000000' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    only: { type: 'string', default: PARTS.join(',') },
    seconds: { type: 'string', default: '5' },
    cache: { type: 'string', default: 'data/benchmarks' },
    out: { type: 'string', default: 'data/benchmarks' },
  },
});
const result = await measureAll({
  items: Number(values.items),
  users: Number(values.users),
  sizes: values.sizes.split(',').map(Number),
  workers: Number(values.workers),
  parts: values.only.split(',') as Part[],
  seconds: Number(values.seconds),
  cacheDir: values.cache,
  say: (line) => process.stderr.write(`${line}\n`),
});
await mkdir(values.out, { recursive: true });
await writeFile(join(values.out, 'serving.json'), `${JSON.stringify(result, undefined, 2)}\n`);
await writeFile(join(values.out, 'serving.html'), renderPlots(result));
console.log(renderTables(result));
