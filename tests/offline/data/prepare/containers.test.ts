import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import zlib from 'node:zlib';
import t from 'tap';
import { openDatabase, queryRows } from '../../../../src/offline/data/database.js';
import { tryLoad, type TriedLoad } from './try-load.js';

const { connection, ...database } = await openDatabase();
t.teardown(() => database.close());

// The types of Node 20 do not have zstd.
const { zstdCompressSync } = zlib as typeof zlib & {
  zstdCompressSync(text: string, options: object): Buffer;
};
const gzip = (text: string): Buffer => zlib.gzipSync(text);
const zstd = (text: string): Buffer => zstdCompressSync(text, { params: { [CHECKSUM_FLAG]: 1 } });
/** ZSTD_c_checksumFlag */
const CHECKSUM_FLAG = 201;

const CSV = `user_id,item_id\n${Array.from({ length: 5000 }, (_, row) => `u${row * 7919},i${row % 50}\n`).join('')}`;
const MORE = 'ann,x\nbob,y\n';
const JSON_LINES = Array.from({ length: 5000 }, (_, row) => `{"user_id": "u${row}", "item_id": "i"}\n`).join(
  '',
);

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length + at]! ^= 1;
  return copy;
}

/** A zstd frame that holds nothing and is to be skipped. */
const SKIPPED = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

const SOUND: readonly [string, string, Buffer | string, number][] = [
  ['one gzip member', 'a.csv.gz', gzip(CSV), 5000],
  ['two gzip members', 'a.csv.gz', Buffer.concat([gzip(CSV), gzip(MORE)]), 5002],
  ['an empty gzip member among others', 'a.csv.gz', Buffer.concat([gzip(CSV), gzip(''), gzip(MORE)]), 5002],
  ['one zstd frame', 'a.csv.zst', zstd(CSV), 5000],
  ['two zstd frames', 'a.csv.zst', Buffer.concat([zstd(CSV), zstd(MORE)]), 5002],
  ['zstd frames to be skipped', 'a.csv.zst', Buffer.concat([SKIPPED, zstd(CSV), SKIPPED, zstd(MORE)]), 5002],
  ['gzip JSON lines', 'a.jsonl.gz', gzip(JSON_LINES), 5000],
  ['zstd JSON lines', 'a.jsonl.zst', zstd(JSON_LINES), 5000],
];
for (const [what, name, bytes, rows] of SOUND) {
  t.test(`${what}: every row is read`, async (t) => {
    t.match(await load(t.testdir(), name, bytes), { source: { rowsRead: rows } });
  });
}

const CUT = /^a\.[a-z.]+: is cut off: its (gzip|zstd) data end too early; copy it again$/;
const DAMAGED: readonly [string, string, Buffer | string, RegExp | string][] = [
  ['gzip that is cut in its data', 'a.csv.gz', gzip(CSV).subarray(0, 9000), CUT],
  ['gzip that is cut in its checksum', 'a.csv.gz', gzip(CSV).subarray(0, -6), CUT],
  ['gzip that lost its last byte', 'a.csv.gz', gzip(CSV).subarray(0, -1), CUT],
  [
    'gzip that is cut in a second member',
    'a.csv.gz',
    Buffer.concat([gzip(CSV), gzip(MORE).subarray(0, -9)]),
    CUT,
  ],
  [
    'gzip that is cut in the header of a second member',
    'a.csv.gz',
    Buffer.concat([gzip(CSV), gzip(MORE).subarray(0, 5)]),
    CUT,
  ],
  [
    'gzip with another checksum',
    'a.csv.gz',
    flip(gzip(CSV), -8),
    /is damaged: gzip says incorrect data check/,
  ],
  [
    'gzip with another length',
    'a.csv.gz',
    flip(gzip(CSV), -1),
    /is damaged: gzip says incorrect length check/,
  ],
  [
    'gzip whose first member has another checksum',
    'a.csv.gz',
    Buffer.concat([flip(gzip(CSV), -8), gzip(MORE)]),
    /incorrect data check/,
  ],
  [
    'gzip before zeros',
    'a.csv.gz',
    Buffer.concat([gzip(CSV), Buffer.alloc(512)]),
    'a.csv.gz: has 512 bytes after the end of its gzip data; compress it again',
  ],
  [
    'gzip before text',
    'a.csv.gz',
    Buffer.concat([gzip(CSV), Buffer.from('ann,x\n')]),
    /is damaged, or has other bytes after its gzip data/,
  ],
  ['gzip JSON lines that are cut', 'a.jsonl.gz', gzip(JSON_LINES).subarray(0, 4000), CUT],
  ['gzip JSON lines with another checksum', 'a.jsonl.gz', flip(gzip(JSON_LINES), -8), /incorrect data check/],
  ['zstd that is cut in its data', 'a.csv.zst', zstd(CSV).subarray(0, 9000), CUT],
  ['zstd that is cut in its checksum', 'a.csv.zst', zstd(CSV).subarray(0, -2), CUT],
  [
    'zstd that is cut in a second frame',
    'a.csv.zst',
    Buffer.concat([zstd(CSV), zstd(MORE).subarray(0, -2)]),
    CUT,
  ],
  ['zstd with another checksum', 'a.csv.zst', flip(zstd(CSV), -1), /is damaged: zstd says .*checksum/],
  [
    'zstd before text',
    'a.csv.zst',
    Buffer.concat([zstd(CSV), Buffer.from('ann,x\n')]),
    /is damaged, or has other bytes after its zstd data/,
  ],
  ['zstd JSON lines that are cut', 'a.jsonl.zst', zstd(JSON_LINES).subarray(0, -5), CUT],
  ['text that is named gzip', 'a.csv.gz', CSV, 'a.csv.gz: is no gzip data, whatever its name says'],
  ['text that is named zstd', 'a.csv.zst', CSV, 'a.csv.zst: is no zstd data, whatever its name says'],
  [
    'gzip that is named CSV',
    'a.csv',
    gzip(CSV),
    /^a\.csv: is gzip data, which its name does not say: rename it, or say compression = 'gzip' in read_csv$/,
  ],
  ['zstd that is named JSON', 'a.jsonl', zstd(JSON_LINES), /^a\.jsonl: is zstd data, .* in read_json$/],
  [
    'JSON in UTF-16',
    'a.jsonl',
    Buffer.from(`\uFEFF${JSON_LINES}`, 'utf16le'),
    'a.jsonl: is UTF-16 text; write it as UTF-8',
  ],
  ['a zip archive', 'a.csv', Buffer.from('PK\x03\x04 and so on'), 'a.csv: is a zip archive; unpack it'],
  ['bzip2 data', 'a.csv', Buffer.from('BZh91AY&SY'), /^a\.csv: is bzip2 data/],
  ['xz data', 'a.csv', Buffer.from('\xFD7zXZ\0\0\x04', 'latin1'), /^a\.csv: is xz data/],
  [
    'parquet that is named CSV',
    'a.csv',
    Buffer.from('PAR1....PAR1'),
    'a.csv: is a parquet file, not csv: read it with read_parquet',
  ],
];
for (const [what, name, bytes, problem] of DAMAGED) {
  t.test(`${what} is refused`, async (t) => {
    t.match(await load(t.testdir(), name, bytes), { problems: [problem] });
  });
}

t.test('gzip that only the SQL says to be gzip is read', async (t) => {
  const sql = "read_csv('{file}', compression = 'gzip')";
  t.match(await load(t.testdir(), 'a.txt', gzip(CSV), sql), { source: { rowsRead: 5000 } });
  t.match(await load(t.testdir(), 'a.txt', gzip(CSV).subarray(0, -4), sql), { problems: [/is cut off/] });
});

const CHECKED = ['', '-2'].map(
  (version) => `tests/fixtures/parquet/pyarrow-page-checksums${version}.parquet`,
);

for (const file of CHECKED) {
  t.test(`${basename(file)} is read`, async (t) => {
    t.match(await load(t.testdir(), 'a.parquet', readFileSync(file)), { source: { rowsRead: 3000 } });
  });

  t.test(`a bit that flips in ${basename(file)} is refused by column and row group`, async (t) => {
    const bytes = readFileSync(file);
    const chunks = await queryRows(
      connection,
      `SELECT row_group_id AS "group", path_in_schema AS "column", coalesce(dictionary_page_offset, data_page_offset) AS "from",
         total_compressed_size AS size, data_page_offset AS data FROM parquet_metadata('${file}')`,
    );
    for (const { group, column, from, size, data } of chunks) {
      // The last byte of the dictionary, where there is one, and the last one of the data.
      for (const end of new Set([Number(data), Number(from) + Number(size)])) {
        if (end === Number(from)) continue;
        const result = await load(t.testdir(), 'a.parquet', flip(bytes, end - 1 - bytes.length));
        t.match(result, {
          problems: [
            `a.parquet, column ${String(column)}, row group ${String(group)}: 1 page is not as written: the checksum does not fit; copy it again`,
          ],
        });
      }
    }
  });
}

t.test('parquet that is cut is refused, wherever', async (t) => {
  const bytes = readFileSync(CHECKED[0]!);
  for (const length of [3, 100, bytes.length - 4, bytes.length - 1])
    t.match(await load(t.testdir(), 'a.parquet', bytes.subarray(0, length)), { problems: [/parquet/] });
});

/** What loading the only file of a folder gives. */
async function load(
  dir: string,
  name: string,
  bytes: Buffer | string,
  from = "'{file}'",
): Promise<TriedLoad> {
  writeFileSync(join(dir, name), bytes);
  return tryLoad(connection, dir, { sql: `SELECT * FROM ${from.replace('{file}', `{dir}/${name}`)}` });
}
