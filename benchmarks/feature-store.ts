import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { spawnSync } from 'node:child_process';
import { DuckDBInstance } from '@duckdb/node-api';
import { IdIndex } from '../src/domain/id-index.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';
import { createTableBuilder, type FeatureTable } from '../src/features/feature-table.js';
import { createGather } from '../src/features/gather-rows.js';
import { loadFeatureTable } from '../src/features/load-feature-table.js';
import { createMemoryStore } from '../src/features/memory-store.js';
import { encodeFeatureTable } from '../src/offline/bundle-writing/encode-feature-table.js';

/**
 * Loading a feature view from the bundle's layout into the memory store, beside DuckDB scanning the same file to columns,
 * and gathering 200 rows of it. Writing, loading and DuckDB are processes of their own, so that none of them counts in
 * the memory or the time of another.
 */
const [rows = '1000000', fields = '32', step, path = ''] = process.argv.slice(2);
const view: FeatureTable['view'] = {
  name: 'items',
  entity: 'item',
  key: 'item_id',
  file: 'features/items.parquet',
  fields: Array.from({ length: Number(fields) }, (_, field) => ({
    name: `f${field}`,
    type: 'float32',
    default: 0,
  })),
};

if (step === 'write') await write();
else if (step === 'scan') await scan();
else if (step === 'load') await load();
else await runAll();

async function runAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'feature-store-'));
  try {
    const file = join(folder, 'items.parquet');
    for (const name of ['write', 'scan', 'load', 'scan', 'load']) {
      const args = [...process.execArgv, process.argv[1]!, rows, fields, name, file];
      spawnSync(process.execPath, args, { stdio: 'inherit' });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function write(): Promise<void> {
  const random = createSeededRandom('feature store benchmark');
  const length = Number(rows);
  const builder = createTableBuilder(view, length, { knownUntil: 0 });
  for (let at = 0; at < builder.values.length; at++) builder.values[at] = random.normal();
  const entities = new IdIndex(Array.from({ length }, (_, row) => `entity-${row}`));
  await writeFile(path, encodeFeatureTable(builder.finish(entities)));
  console.log(`${rows} rows × ${fields} float32: a file of ${megabytes((await stat(path)).size)} MB`);
}

async function scan(): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect();
  const started = performance.now();
  const chunks = await (await connection.run(`SELECT * FROM '${path}'`)).fetchAllChunks();
  const count = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  console.log(`DuckDB scans ${count} rows to columns: ${seconds(started)} s`);
  connection.closeSync();
}

async function load(): Promise<void> {
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const bytes = await readVerified();
  const read = seconds(started);
  const table = await loadFeatureTable(bytes, view, { file: path, knownUntil: 0 });
  const all = seconds(started);
  delay.disable();
  const peak = process.resourceUsage().maxRSS * 1024 - before;
  const columnBytes = table.parts.values.byteLength;
  console.log(
    `store loads them: ${all} s (reading and hashing the file: ${read} s), ` +
      `memory at its peak ${(peak / columnBytes).toFixed(2)} × the columns' ${megabytes(columnBytes)} MB, ` +
      `afterwards ${(table.sizeBytes / table.entities.size).toFixed(1)} bytes per entity, ` +
      `event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`,
  );
  gather(table);
}

/** As a bundle's files are read: whole, hashed on the way, into memory that a thread can read. */
async function readVerified(): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer((await stat(path)).size));
  const hash = createHash('sha256');
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    bytes.set(chunk as Uint8Array, offset);
    hash.update(chunk as Uint8Array);
    offset += (chunk as Uint8Array).length;
  }
  hash.digest();
  return bytes;
}

/** Other rows every time, as requests ask for them; ids are made before the clock starts. */
function gather(table: FeatureTable): void {
  const random = createSeededRandom('gather');
  const gatherRows = createGather(table);
  const store = createMemoryStore(table);
  const size = 200 * view.fields.length;
  const target = { values: new Float32Array(size), statuses: new Uint8Array(size) };
  const byId: number[] = [];
  const byIndex: number[] = [];
  for (let request = 0; request < 3000; request++) {
    const indexes = Int32Array.from({ length: 200 }, () => random.integer(table.entities.size));
    const ids = Array.from(indexes, (index) => table.entities.idAt(index));
    byIndex.push(time(() => gatherRows(indexes, target, { now: 0 })));
    byId.push(time(() => void store.getMany(ids, target, { now: 0 })));
  }
  console.log(
    `gather 200 rows × ${fields}: by index ${quantiles(byIndex)}; by id, with statuses ${quantiles(byId)}`,
  );
}

function time(work: () => void): number {
  const started = performance.now();
  work();
  return 1000 * (performance.now() - started);
}

function quantiles(microseconds: readonly number[]): string {
  const sorted = Float64Array.from(microseconds.slice(500)).sort();
  return [0.5, 0.99]
    .map((share) => `p${100 * share} ${sorted[Math.floor(share * sorted.length)]!.toFixed(1)} µs`)
    .join(', ');
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(2);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
