import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { spawnSync } from 'node:child_process';
import { DuckDBInstance } from '@duckdb/node-api';
import { IdIndex } from '../src/domain/id-index.js';
import { createSeededRandom } from '../src/domain/seeded-random.js';
import { createTableBuilder, type FeatureTable } from '../src/features/feature-table.js';
import { createFeatureRows } from '../src/features/feature-store.js';
import { createGather } from '../src/features/gather-rows.js';
import { loadFeatureTable } from '../src/features/load-feature-table.js';
import { createMemoryStore } from '../src/features/memory-store.js';
import { encodeFeatureTable } from '../src/offline/training/bundle/encode-feature-table.js';

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

/** DuckDB and the store take turns, so that what else the machine does hits both; the best of each counts. */
async function runAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'feature-store-'));
  try {
    const file = join(folder, 'items.parquet');
    runStep('write', file);
    const scans: number[] = [];
    const loads: number[] = [];
    for (let round = 0; round < 3; round++) {
      scans.push(runStep('scan', file));
      loads.push(runStep('load', file));
    }
    console.log(`loading takes ${(Math.min(...loads) / Math.min(...scans)).toFixed(1)} × the scan`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds that the step measured, which it ends its output with. */
function runStep(name: string, file: string): number {
  const args = [fileURLToPath(import.meta.url), rows, fields, name, file];
  const { stdout } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = stdout.toString().trimEnd().split('\n');
  const seconds = Number(lines.pop());
  console.log(lines.join('\n'));
  return seconds;
}

async function write(): Promise<void> {
  const random = createSeededRandom('feature store benchmark');
  const length = Number(rows);
  const builder = createTableBuilder(view, length, { knownUntil: 0 });
  for (let at = 0; at < builder.values.length; at++) builder.values[at] = random.normal();
  const entities = new IdIndex(Array.from({ length }, (_, row) => `entity-${row}`));
  const started = performance.now();
  const bytes = encodeFeatureTable(builder.finish(entities));
  console.log(
    `${rows} rows × ${fields} float32: a file of ${megabytes(bytes.length)} MB, encoded in ${secondsSince(started).toFixed(2)} s`,
  );
  await writeFile(path, bytes);
  await writeFile(`${path}.sha256`, createHash('sha256').update(bytes).digest('hex'));
  console.log(secondsSince(started));
}

async function scan(): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect();
  const started = performance.now();
  const chunks = await (await connection.run(`SELECT * FROM '${path}'`)).fetchAllChunks();
  const seconds = secondsSince(started);
  const count = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  console.log(`DuckDB scans ${count} rows to columns: ${seconds.toFixed(2)} s\n${seconds}`);
  connection.closeSync();
}

async function load(): Promise<void> {
  const file = {
    name: 'items.parquet',
    path,
    sha256: await readFile(`${path}.sha256`, 'utf8'),
    sizeBytes: (await stat(path)).size,
  };
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const table = await loadFeatureTable({ file, view, knownUntil: 0 });
  const seconds = secondsSince(started);
  delay.disable();
  const peak = process.resourceUsage().maxRSS * 1024 - before;
  const columnBytes = table.parts.values.byteLength;
  console.log(
    `store loads and verifies them: ${seconds.toFixed(2)} s, ` +
      `memory at its peak ${(peak / columnBytes).toFixed(2)} × the columns' ${megabytes(columnBytes)} MB, ` +
      `afterwards ${(table.sizeBytes / table.entities.size).toFixed(1)} bytes per entity, ` +
      `event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`,
  );
  gather(table);
  console.log(seconds);
}

/** Other rows every time, as requests ask for them; what is asked for is made before the clock starts. */
function gather(table: FeatureTable): void {
  const random = createSeededRandom('gather');
  const gatherRows = createGather(table);
  const store = createMemoryStore(table);
  const target = createFeatureRows(view, 200);
  const byIndex: number[] = [];
  const byId: number[] = [];
  const drawRows = (): Int32Array =>
    Int32Array.from({ length: 200 }, () => random.integer(table.entities.size));
  for (let request = 0; request < 5000; request++) {
    const indexes = drawRows();
    byIndex.push(time(() => gatherRows(indexes, target, { now: 0 })));
  }
  for (let request = 0; request < 5000; request++) {
    const ids = Array.from(drawRows(), (index) => table.entities.idAt(index));
    byId.push(time(() => void store.getMany(ids, target, { now: 0 })));
  }
  console.log(
    `gather 200 rows × ${fields}, with statuses: by index ${quantiles(byIndex)}; by id ${quantiles(byId)}`,
  );
}

function time(work: () => void): number {
  const started = performance.now();
  work();
  return 1000 * (performance.now() - started);
}

function quantiles(microseconds: readonly number[]): string {
  const sorted = Float64Array.from(microseconds.slice(2000)).sort();
  return [0.5, 0.99]
    .map((share) => `p${100 * share} ${sorted[Math.floor(share * sorted.length)]!.toFixed(1)} µs`)
    .join(', ');
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
