import { mkdirSync, readFileSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the page of the explorer into a folder: index.html, a script and a style with their hash in the name, and the licences of what
 * is in them.
 *
 *     node src/explorer/bundle.mjs dist/explorer
 */
const here = import.meta.dirname;
const [folder] = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (/^app-.*\.(?:js|css)$/.test(name)) rmSync(join(folder, name));
const { metafile } = await build({
  entryPoints: { app: join(here, 'main.tsx') },
  outdir: folder,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2023', 'chrome119', 'firefox121', 'safari17.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
const names = Object.keys(metafile.outputs).map((path) => basename(path));
const page = readFileSync(join(here, 'index.html'), 'utf8')
  .replace(
    '{{style}}',
    names.find((name) => name.endsWith('.css')),
  )
  .replace(
    '{{script}}',
    names.find((name) => name.endsWith('.js')),
  );
writeFileSync(join(folder, 'index.html'), page);
writeFileSync(join(folder, 'NOTICE.txt'), listLicences(Object.keys(metafile.inputs)));

/** Name, version and licence of each package that a file of the bundle comes from. */
function listLicences(inputs) {
  const packages = new Set(inputs.flatMap((path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const notices = [...packages].map((path) => {
    const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(join(path, 'LICENSE'), 'utf8').trim()}\n`;
  });
  return `The page of the explorer has parts of these packages in it.\n\n${notices.join('\n----\n\n')}`;
}
