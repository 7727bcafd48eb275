import { ShortlistError } from '../domain/errors.js';
import { findOwn } from '../domain/find-own.js';
import { isTimeZone } from '../domain/local-time.js';
import { CHECKSUM_FILE, FORMAT_VERSION, hashFeatureOrder, Manifest, MANIFEST_FILE } from './manifest.js';
import { findSchemaProblems } from './schema-problems.js';

/**
 * Reads `manifest.json`.
 * @param json its text
 * @param file what to call it in errors
 * @throws ShortlistError INVALID_BUNDLE with every problem found
 */
export function parseManifest(json: string, file: string): Manifest {
  const manifest = decodeManifest(json, file);
  const problems = findManifestProblems(manifest);
  if (problems.length > 0) throw invalidManifest(file, problems);
  return manifest;
}

/** Reads a manifest of the right form, whose parts may still contradict each other. Throws as parseManifest does. */
export function decodeManifest(json: string, file: string): Manifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(json);
  } catch (cause) {
    throw invalidManifest(file, [`it is not JSON: ${(cause as Error).message}`], cause);
  }
  refuseOtherFormat(manifest, file);
  const problems = findSchemaProblems(Manifest, manifest);
  if (problems.length > 0) throw invalidManifest(file, problems);
  return manifest as Manifest;
}

/** True for a relative path that cannot leave its folder: forward slashes, no part that starts with a dot. */
export function isSafePath(path: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(path);
}

/**
 * Lists the parts of a manifest that contradict each other, one sentence each; empty for a sound manifest.
 */
export function findManifestProblems(manifest: Manifest): string[] {
  return [
    ...findFileProblems(manifest),
    ...findRankerProblems(manifest),
    ...Object.entries(manifest.views).flatMap(([name, view]) => findViewProblems(name, view)),
    ...findRepeats(manifest.catalogue.attributes.map(({ name }) => name)).map(
      (name) => `catalogue: two attributes are called ${name}`,
    ),
    ...findContextProblems(manifest),
    ...findCountingProblems(manifest),
    ...findIndexProblems(manifest),
    ...findRowProblems(manifest),
  ];
}

function refuseOtherFormat(manifest: unknown, file: string): void {
  const formatVersion = (manifest as { formatVersion?: unknown } | null)?.formatVersion;
  if (formatVersion === FORMAT_VERSION || formatVersion === undefined) return;
  throw invalidManifest(file, [
    `its format version is ${JSON.stringify(formatVersion)}, this release reads ${FORMAT_VERSION}: ` +
      'use the release that made it, or train again',
  ]);
}

function findFileProblems({ files, ...manifest }: Manifest): string[] {
  const unsafe = Object.keys(files).filter((path) => !isSafePath(path));
  const reserved = [MANIFEST_FILE, CHECKSUM_FILE].filter((path) => Object.hasOwn(files, path));
  const named = new Map([
    ['catalogue', manifest.catalogue.file],
    ...Object.entries(manifest.views).map(([view, { file }]): [string, string] => [`views.${view}`, file]),
    ['histories', manifest.histories.file],
    ['ranker', manifest.ranker.file],
    ...(manifest.context === undefined ? [] : [['context', manifest.context.file] as const]),
    ...(manifest.followers === undefined ? [] : [['followers', manifest.followers.file] as const]),
    ...Object.entries(manifest.sources).flatMap(([source, { file, model, index }]): [string, string][] => [
      ...(file === undefined ? [] : [[`sources.${source}`, file] as [string, string]]),
      ...(model === undefined ? [] : [[`sources.${source}.model`, model] as [string, string]]),
      ...(index?.file === undefined ? [] : [[`sources.${source}.index`, index.file] as [string, string]]),
    ]),
  ]);
  const unlisted = [...named].filter(([, file]) => !Object.hasOwn(files, file));
  return [
    ...unsafe.map((path) => `files: ${JSON.stringify(path)} is not a plain path inside the bundle`),
    ...reserved.map((path) => `files: ${path} cannot be listed in itself`),
    ...unlisted.map(([part, file]) => `${part}: its file ${JSON.stringify(file)} is not listed in files`),
  ];
}

function findRankerProblems({ ranker }: Manifest): string[] {
  const hash = hashFeatureOrder(ranker.featureOrder);
  const problems = findRepeats(ranker.featureOrder).map((name) => `ranker: feature ${name} occurs twice`);
  if (hash === ranker.featureOrderHash) return problems;
  return [
    ...problems,
    `ranker: its feature order has hash ${hash}, featureOrderHash is ${ranker.featureOrderHash}`,
  ];
}

type View = Manifest['views'][string];

/** The entity of the views that every bundle has; others say theirs. */
const ENTITY_OF: Readonly<Record<string, View['entity']>> = { items: 'item', users: 'user' };

function findViewProblems(called: string, { name, entity, key, eventTime, online, fields }: View): string[] {
  const view = `views.${called}`;
  const names = [key, ...(eventTime === undefined ? [] : [eventTime]), ...fields.map((field) => field.name)];
  const expected = findOwn(ENTITY_OF, called) ?? entity;
  const uncoded = fields.filter(({ type, dictionary }) => type === 'category' && dictionary === undefined);
  const unmeasured = fields.filter(({ type, length }) => (type === 'vector') !== (length !== undefined));
  return [
    ...(name === called ? [] : [`${view}: its name is ${name}`]),
    ...(entity === expected ? [] : [`${view}: its entity is ${entity}, not ${expected}`]),
    ...(online === undefined || entity === 'user' ? [] : [`${view}: only views of users are served online`]),
    ...findRepeats(names).map((column) => `${view}: two columns are called ${column}`),
    ...uncoded.map((field) => `${view}: category ${field.name} has no dictionary`),
    ...unmeasured.map(
      (field) =>
        `${view}: ${field.type} ${field.name} has ${field.length === undefined ? 'no length' : 'a length'}`,
    ),
  ];
}

function findContextProblems({ context }: Manifest): string[] {
  if (context === undefined) return [];
  const { timeZone, fields } = context;
  const uncoded = fields.filter(({ type, values }) => type === 'categorical' && values === undefined);
  return [
    ...(isTimeZone(timeZone) ? [] : [`context: ${timeZone} is no time zone known here`]),
    ...findRepeats(fields.map(({ name }) => name)).map((name) => `context: two fields are called ${name}`),
    ...uncoded.map(({ name }) => `context: categorical field ${name} has no values`),
  ];
}

function findCountingProblems({ interactions }: Manifest): string[] {
  const { weights = {}, negative = [], target } = interactions ?? {};
  return negative.flatMap((type) => [
    ...(Object.hasOwn(weights, type) ? [`interactions: type ${type} has a weight and is negative`] : []),
    ...(target?.types?.includes(type) === true
      ? [`interactions: type ${type} is predicted and is negative`]
      : []),
  ]);
}

function findIndexProblems({ sources }: Manifest): string[] {
  return Object.entries(sources).flatMap(([source, { index }]) =>
    index?.kind === 'hnsw' && (index.file === undefined || index.oversampling === undefined)
      ? [`sources.${source}: its index of kind hnsw needs a file and an oversampling`]
      : [],
  );
}

/** The item index is the row of the catalogue and the row of the items view: both must have the same rows. */
function findRowProblems({ catalogue, views, files }: Manifest): string[] {
  const catalogueRows = files[catalogue.file]?.rows;
  const viewRows = files[views.items.file]?.rows;
  if (catalogueRows === undefined || viewRows === undefined || catalogueRows === viewRows) return [];
  return [`files: ${catalogue.file} has ${catalogueRows} rows, ${views.items.file} has ${viewRows}`];
}

function findRepeats(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function invalidManifest(file: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `${file} is not a sound manifest`, { problems, cause });
}
