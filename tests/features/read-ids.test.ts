import { parquetWriteBuffer } from 'hyparquet-writer';
import t from 'tap';
import type { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { KNOWN_UNTIL } from '../support/feature-tables.js';

const FILE = { file: 'features/items.parquet', knownUntil: KNOWN_UNTIL };
const VIEW: FeatureView = { name: 'items', entity: 'item', key: 'item_id', file: FILE.file, fields: [] };

async function problemsOf(bytes: Uint8Array): Promise<readonly string[]> {
  const error = await readFeatureTable(bytes, VIEW, FILE).catch(
    (caught: unknown) => caught as ShortlistError,
  );
  const { problems, message } = error as ShortlistError;
  return problems.length > 0 ? problems : [message];
}

/** A file of ids that are never null, in one of the layouts that there are. */
function writeIds(data: unknown[], { codec, encoding }: (typeof LAYOUTS)[number]): Uint8Array {
  const column = { name: 'item_id', data, type: 'STRING', nullable: false, encoding } as const;
  return new Uint8Array(parquetWriteBuffer({ columnData: [column], codec }));
}

const LAYOUTS = [
  { codec: 'UNCOMPRESSED', encoding: 'PLAIN' },
  { codec: 'UNCOMPRESSED', encoding: 'DELTA_LENGTH_BYTE_ARRAY' },
  { codec: 'SNAPPY', encoding: 'PLAIN' },
] as const;

t.test('ids are read alike whether they lie in the file as they are or not', async (t) => {
  const texts = ['', '日本', ...Array.from({ length: 3000 }, (_, row) => `item ${row % 2999}`)];
  const [first, ...others] = await Promise.all(LAYOUTS.map((layout) => problemsOf(writeIds(texts, layout))));
  t.strictSame(first, [
    'features/items.parquet: column item_id, row 1: the id is empty',
    'features/items.parquet: column item_id, row 3002: the id "item 0" is also in row 3',
  ]);
  for (const other of others) t.strictSame(other, first);
  for (const layout of LAYOUTS) {
    const table = await readFeatureTable(writeIds(texts.slice(1, -1), layout), VIEW, FILE);
    t.strictSame(table.entities.ids, texts.slice(1, -1), `${layout.codec} ${layout.encoding}`);
    t.equal(table.entities.find('item 2998'), 2999);
  }
});

t.test(
  'ids that lie in the file as they are may be no UTF-8, or say that they end outside of it',
  async (t) => {
    const bytes = writeIds(['abc', 'xyz'], LAYOUTS[0]);
    const at = Buffer.from(bytes).indexOf('xyz');
    const latin1 = new Uint8Array(bytes);
    latin1[at] = 0xe9;
    t.strictSame(await problemsOf(latin1), [
      'features/items.parquet: column item_id, row 2: the id is not UTF-8',
    ]);
    for (const [place, length] of [
      [at - 4, 1000],
      [at - 11, 1000],
    ] as const) {
      const broken = new Uint8Array(bytes);
      new DataView(broken.buffer).setUint32(place, length, true);
      t.match(await problemsOf(broken), [/cannot be read at column item_id: /], `length at ${place}`);
    }
  },
);
