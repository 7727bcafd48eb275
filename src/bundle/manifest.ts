import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { findOwn } from '../domain/find-own.js';
import { isTimeZone } from '../domain/local-time.js';
import { VERSION_PATTERN } from './bundle-version.js';
import { findSchemaProblems } from './schema-problems.js';

/** The manifest format that this release reads and writes. */
export const FORMAT_VERSION = 1;

/** The files that describe a bundle; no file listed in a manifest can have these names. */
export const MANIFEST_FILE = 'manifest.json';
/** Beside the manifest: its SHA-256, in the format of `sha256sum`. */
export const CHECKSUM_FILE = 'manifest.json.sha256';

const name = (description: string): Type.TString =>
  Type.String({ pattern: '^[^\\u0000-\\u001f]+$', description });
const count = (description: string): Type.TInteger => Type.Integer({ minimum: 0, description });
const sha256 = (description: string): Type.TString => Type.String({ pattern: '^[0-9a-f]{64}$', description });
const anything = (description: string): Type.TRecord<'^.*$', Type.TUnknown> =>
  Type.Record(Type.String(), Type.Unknown(), { description });

const timeToLive = (description: string): Type.TNumber => Type.Number({ exclusiveMinimum: 0, description });

const FeatureField = Type.Object({
  name: name('Column of the file.'),
  type: Type.Enum(['float32', 'int32', 'boolean', 'category', 'vector'], {
    description:
      '`float32`, `int32`, `boolean` (0 or 1), `category` (the code of a value in `dictionary`) or `vector` (`length` float32).',
  }),
  default: Type.Number({
    description: 'Value of an entity that has none; of a vector, each of its components.',
  }),
  dictionary: Type.Optional(
    Type.Array(Type.String(), { description: 'Of a category: its values, by code.' }),
  ),
  length: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_536, description: 'Of a vector: how many components it has.' }),
  ),
  timeToLiveSeconds: Type.Optional(timeToLive('Goes over that of the view.')),
  input: Type.Optional(Type.Boolean({ description: 'Whether the ranker may read it; it may when absent.' })),
});

const FeatureView = Type.Object({
  name: name('What the view is called, as in `views`.'),
  entity: Type.Enum(['item', 'user'], { description: '`item` in `views.items`, `user` in `views.users`.' }),
  key: name('Column that holds the raw id; in `items` and `users` its row order is the index order.'),
  file: name('Parquet file with one row per entity.'),
  eventTime: Type.Optional(
    name('Column that says since when a row is true, Unix seconds; without it rows are of `knownUntil`.'),
  ),
  timeToLiveSeconds: Type.Optional(
    timeToLive('Age in seconds from which on a value is stale; never when absent.'),
  ),
  whenStale: Type.Optional(
    Type.Enum(['default', 'use', 'refuse'], {
      description:
        'What becomes of a stale value: its default (also when absent), the old value, or the read fails.',
    }),
  ),
  online: Type.Optional(
    Type.Enum(['redis'], {
      description:
        'Of a view of users: serving asks Redis for its rows; they come from the file when absent.',
    }),
  ),
  fields: Type.Array(FeatureField),
});

/** `items` and `users` are in every bundle. */
const Views = Type.Unsafe<{ items: View; users: View; [name: string]: View }>({
  ...Type.Record(Type.String(), FeatureView),
  required: ['items', 'users'],
});

type View = Static<typeof FeatureView>;

const AttributeSpec = Type.Object({
  name: name('Column of the file.'),
  role: Type.Enum(['numeric', 'categorical', 'multi-valued', 'boolean', 'text'], {
    description: '`numeric`, `categorical`, `multi-valued`, `boolean` or `text`.',
  }),
  shown: Type.Boolean({ description: 'Shown in answers.' }),
  filterable: Type.Boolean({ description: 'Usable in `filter=name:value`.' }),
  feature: Type.Boolean({ description: 'Used by ranker features.' }),
});

const ItemIndex = Type.Object({
  kind: Type.Enum(['int8', 'hnsw'], {
    description:
      'How the nearest items are found where it is not by float32: `int8`, or a graph (`hnsw`). `index` is optional.',
  }),
  file: Type.Optional(name('Of a graph: its file, of usearch.')),
  oversampling: Type.Optional(
    Type.Number({ minimum: 1, description: 'Of a graph: it is asked for so many times as many items.' }),
  ),
  recall: Type.Object({
    mean: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'Share of the best items by float32 that it found, mean over users.',
    }),
    items: Type.Integer({ minimum: 1, description: 'How many best items that is of.' }),
    users: Type.Integer({ minimum: 0, description: 'How many users were drawn to measure it.' }),
  }),
});

const ContextField = Type.Object({
  name: name('What requests call it, as in `context=name:value`.'),
  type: Type.Enum(['hour', 'weekday', 'numeric', 'categorical'], {
    description: '`hour` and `weekday` of the request, or what the client says: `numeric`, `categorical`.',
  }),
  values: Type.Optional(
    Type.Array(Type.String(), { description: 'Of a categorical field: its values, by code.' }),
  ),
  default: Type.Optional(Type.Number({ description: 'Of a numeric field: what stands for no value.' })),
  bounds: Type.Optional(
    Type.Array(Type.Number(), { description: 'Of a numeric field: where its parts meet, ascending.' }),
  ),
});

const Distribution = Type.Object({
  bounds: Type.Array(Type.Number(), {
    description: 'Where the bins of the values meet, ascending; a bin reaches up to its upper bound.',
  }),
  shares: Type.Array(Type.Number(), { description: 'Share of the values in each bin.' }),
});

/**
 * `manifest.json`: all that one needs to know of a bundle before opening its files. Keys that this release does not
 * know are kept and ignored, so that a bundle with additions opens here too; what an old reader must not ignore raises
 * the format version.
 */
export const Manifest = Type.Object({
  formatVersion: Type.Literal(FORMAT_VERSION, {
    description: 'Format of this page; a reader refuses any other.',
  }),
  version: Type.String({
    pattern: VERSION_PATTERN.source,
    description: 'Name of the bundle: time of creation and start of its content hash.',
  }),
  createdAt: Type.String({
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$',
    description: 'When training ended, ISO 8601 in UTC.',
  }),
  codeVersion: name('Version of Shortlist that trained it.'),
  gitCommit: Type.Optional(name('Commit of the code that trained it, where known.')),
  dataset: Type.Object({
    name: name('Dataset it was trained on.'),
    fingerprint: name('Fingerprint of the prepared dataset.'),
    users: count('Users in the dataset.'),
    items: count('Items in the dataset.'),
    interactions: count('Interactions in the dataset.'),
    from: Type.Number({ description: 'Oldest interaction, Unix seconds.' }),
    to: Type.Number({ description: 'Newest interaction, Unix seconds.' }),
  }),
  knownUntil: Type.Number({ description: 'Newest interaction that training saw, Unix seconds.' }),
  catalogue: Type.Object({
    file: name('Parquet file: `item_id` and one column per attribute; its row order is the item index.'),
    attributes: Type.Array(AttributeSpec),
  }),
  views: Views,
  sources: Type.Record(
    Type.String(),
    Type.Object({
      file: Type.Optional(name('Its artefact; absent for a source that needs none.')),
      model: Type.Optional(name('ONNX model that it runs, where it runs one.')),
      index: Type.Optional(ItemIndex),
      skipped: Type.Optional(
        name('Why training left it out, where it did: scenarios that list it go without.'),
      ),
    }),
  ),
  followers: Type.Optional(
    Type.Object({
      file: name('Tensor file: which items are taken soon after which. `followers` is optional.'),
    }),
  ),
  context: Type.Optional(
    Type.Object({
      file: name('Tensor file: in which contexts each item is taken. `context` is optional.'),
      timeZone: name('IANA name of the time zone that hours and weekdays are of.'),
      fields: Type.Array(ContextField),
    }),
  ),
  histories: Type.Object({ file: name('Tensor file: what each user did.') }),
  interactions: Type.Optional(
    Type.Object({
      weights: Type.Optional(
        Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 }), {
          description:
            'What an interaction counts times its value, by type; none of another type counts. All alike when absent.',
        }),
      ),
      minimumValue: Type.Optional(
        Type.Number({
          description:
            'An interaction with a smaller value, before weights, does not count; each does when absent.',
        }),
      ),
      negative: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          description:
            'Types that are never positives, and take back what their user did with the item before.',
        }),
      ),
    }),
  ),
  ranker: Type.Object({
    file: name('ONNX model.'),
    inputName: name('Input that takes the features [rows × features].'),
    outputName: name('Output that gives the scores, one per row.'),
    objective: name('What it was trained for; `imported` when elsewhere.'),
    trees: Type.Optional(count('Trees of the model, where it has any.')),
    rows: Type.Optional(
      Type.Enum(['independent', 'together'], {
        description:
          'What one run may hold: rows of several requests (also when absent) or, `together`, those of one request.',
      }),
    ),
    featureOrder: Type.Array(name('Feature.'), {
      minItems: 1,
      description: 'Names of its features, by input column.',
    }),
    featureOrderHash: sha256('SHA-256 of the feature names, joined by line feeds.'),
  }),
  files: Type.Record(
    Type.String(),
    Type.Object({
      sha256: sha256('SHA-256 of its bytes.'),
      sizeBytes: count('Its length.'),
      rows: Type.Optional(count('Its rows, where it is a table.')),
    }),
  ),
  reference: Type.Optional(
    Type.Object({
      scenario: name('Scenario that was asked. `reference` is optional: what drift is measured against.'),
      requests: count('Users that the trained bundle was asked for.'),
      rows: count('Candidates of theirs that were looked at.'),
      score: Distribution,
      features: Type.Record(Type.String(), Distribution),
      sources: Type.Record(Type.String(), Type.Number(), {
        description: 'Share of the candidates that each source found.',
      }),
    }),
  ),
  training: anything('Parameters of the training run, and the search that chose them.'),
  metrics: anything('What evaluation measured.'),
});

/** A manifest that was read and checked; nothing changes it. */
export type Manifest = DeepReadonly<Static<typeof Manifest>>;

/** An index by which a source finds the nearest items, in place of scoring all of them in float32. */
export type ItemIndex = DeepReadonly<Static<typeof ItemIndex>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

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

/** The hash that says two feature orders are the same: SHA-256 (hex) of the names in UTF-8, joined by line feeds. */
export function hashFeatureOrder(names: readonly string[]): string {
  return createHash('sha256').update(names.join('\n')).digest('hex');
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

/** The entity of the views that every bundle has; others say theirs. */
const ENTITY_OF: Readonly<Record<string, View['entity']>> = { items: 'item', users: 'user' };

function findViewProblems(
  called: string,
  { name, entity, key, eventTime, online, fields }: DeepReadonly<View>,
): string[] {
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
  const { weights = {}, negative = [] } = interactions ?? {};
  return negative
    .filter((type) => Object.hasOwn(weights, type))
    .map((type) => `interactions: type ${type} has a weight and is negative`);
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
