import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { Manifest } from '../../src/bundle/manifest.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from './small-bundle.js';

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
}

type Field = readonly [path: string, meaning: string];

/** The fields of a schema as the page has them: path and description. */
function listFields(node: Node, path = '', meaning = ''): Field[] {
  const children = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const optional = node.required?.includes(key) === true ? '' : 'Optional. ';
    return listFields(child, path === '' ? key : `${path}.${key}`, `${optional}${child.description ?? ''}`);
  });
  const [entry] = Object.values(node.patternProperties ?? {});
  return [
    ...(node.description === undefined ? [] : [[`\`${path}\``, meaning] as const]),
    ...children,
    ...(entry?.properties === undefined ? [] : listFields(entry, `${path}.<name>`)),
    ...(node.items?.properties === undefined ? [] : listFields(node.items, `${path}[]`)),
  ];
}

/** The rows of the tables of a section whose first cell is code. */
function readFields(page: string, heading: string): Field[] {
  const section = page.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`))!;
  return [...section.matchAll(/^\| (`[^|]*`) *\| ([^|]*?) *\|$/gm)].map(([, path, meaning]) => [
    path!,
    meaning!,
  ]);
}

const PAGE = await readFile('docs/bundle.md', 'utf8');

t.test('the page lists every field of the manifest, as the schema describes it, and no other', async (t) => {
  t.strictSame(readFields(PAGE, 'Manifest'), listFields(Manifest as unknown as Node));
});

t.test('the page lists every field of a channel file, and no other', async (t) => {
  const folder = t.testdir();
  await writeBundleFiles(join(folder, 'trained'), createSmallBundle());
  const registry = createFolderRegistry(join(folder, 'models'));
  await registry.publish(join(folder, 'trained'));
  const pointer = await registry.readChannel('staging');
  t.strictSame(
    readFields(PAGE, 'Registry').map(([path]) => path),
    Object.keys(pointer).map((key) => `\`${key}\``),
  );
});
