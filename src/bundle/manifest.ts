import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { VERSION_PATTERN } from './bundle-version.js';

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
    times: Type.Optional(
      Type.Object({
        hasOrder: Type.Boolean({
          description:
            'Whether the rows of a user have an order: nothing reads the order of a history where not. `times` is optional: both are true without it.',
        }),
        hasDates: Type.Boolean({
          description: 'Whether interactions have ages: no source or feature reads them where not.',
        }),
        orderedShare: Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'Share of the consecutive rows of a user that differ in time.',
        }),
        ignored: Type.Optional(
          Type.Literal(true, { description: 'Training was told to use no times (`--ignore-times`).' }),
        ),
      }),
    ),
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
      worth: Type.Optional(
        Type.Number({
          minimum: 0,
          maximum: 1,
          description:
            'What its lists alone are worth by validation, as a share of the best source’s: quotas of scenarios follow it, and are as written when absent.',
        }),
      ),
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
  histories: Type.Object({
    file: name('Tensor file: what each user did.'),
    types: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        uniqueItems: true,
        description:
          'Types of interactions, such as click, by the codes of the file; absent where the dataset has none.',
      }),
    ),
  }),
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
      target: Type.Optional(
        Type.Object(
          {
            types: Type.Optional(
              Type.Array(Type.String({ minLength: 1 }), {
                description:
                  'Types of the interactions that the ranker predicts; `exclude-seen` takes out what was done of these. Any type when absent.',
              }),
            ),
            minimumValue: Type.Optional(
              Type.Number({ description: 'One with a smaller value, before weights, is not predicted.' }),
            ),
            evidence: Type.Optional(
              Type.Array(Type.String({ minLength: 1 }), {
                description: 'Other types that the ranker has features of, the most frequent first.',
              }),
            ),
          },
          { description: 'What the ranker predicts; every interaction when absent.' },
        ),
      ),
    }),
  ),
  forgottenUntil: Type.Optional(
    Type.Number({
      description:
        'Who asked to be forgotten until then, Unix seconds, is in nothing of the bundle with what is older; absent where nobody had asked.',
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

/** The hash that says two feature orders are the same: SHA-256 (hex) of the names in UTF-8, joined by line feeds. */
export function hashFeatureOrder(names: readonly string[]): string {
  return createHash('sha256').update(names.join('\n')).digest('hex');
}
