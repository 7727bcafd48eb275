import type { ContextField } from '../domain/context.js';
import { ID_CHARACTER, isAskable } from '../domain/entity-id.js';
import { FILTER_PATTERNS } from '../rules/filter-patterns.js';
import { quoteFilterValue } from '../rules/parse-filter.js';
import type { BundleDescription } from '../serving/bundle-admin.js';
import type { ExampleFilter, ExampleItem, RequestExamples } from '../serving/request-examples.js';
import {
  mapOperations,
  mapValues,
  type OpenapiContent,
  type OpenapiDocument,
  type OpenapiExamples,
  type OpenapiParameter,
} from './openapi-document.js';
import { buildProblem } from './problem.js';
import { DEFAULT_SCENARIO, FIELD_TEXT, isNamedValue } from './schemas/parameters.js';
import type { Problem } from './schemas/problem.js';

/** The bundle in service, for a document of it. */
export interface DescribedBundle {
  readonly bundle: Pick<BundleDescription, 'version' | 'scenarios'>;
  readonly examples: RequestExamples;
}

/**
 * Makes of a document of any server one of the server that serves this bundle: its scenarios, filterable attributes and context
 * fields are what the parameters allow, its users and items are the examples. An example that would be refused is not there.
 */
export function describeBundle(document: OpenapiDocument, described: DescribedBundle): OpenapiDocument {
  const facts = collectFacts(described);
  return mapOperations(document, ({ parameters, requestBody, responses, ...operation }) => ({
    ...operation,
    ...(parameters && { parameters: parameters.map((parameter) => describeParameter(parameter, facts)) }),
    ...(requestBody && {
      requestBody: {
        ...requestBody,
        content: mapValues(
          mapExamples(requestBody.content, (value) => describeBody(value, facts)),
          ({ schema, ...media }) => ({ ...media, schema: describeBodySchema(schema, facts) }),
        ),
      },
    }),
    responses: mapValues(responses, ({ content, ...response }) => ({
      ...response,
      ...(content && { content: mapExamples(content, (value) => describeAnswer(value, facts)) }),
    })),
  }));
}

function mapExamples(content: OpenapiContent, change: (value: unknown) => unknown): OpenapiContent {
  return mapValues(content, ({ examples, ...media }) => ({
    ...media,
    ...(examples && { examples: mapValues(examples, ({ value }) => ({ value: change(value) })) }),
  }));
}

/** What of a bundle a request can say, in the form in which requests say it. */
interface Facts {
  readonly version: string;
  readonly scenarios: readonly string[];
  readonly userId: string | undefined;
  readonly items: readonly ExampleItem[];
  /** Those that requests may filter on. */
  readonly attributes: readonly Pick<ExampleFilter, 'attribute' | 'kind'>[];
  /** Those that answers show. */
  readonly shown: readonly string[];
  readonly fields: readonly ContextField[];
  /** By attribute that has examples: its kind, and values as `attribute:value`. */
  readonly filters: readonly { readonly kind: ExampleFilter['kind']; readonly texts: readonly string[] }[];
  readonly context: readonly string[];
}

function collectFacts({ bundle, examples }: DescribedBundle): Facts {
  const { userIds, items, shown, contextFields } = examples;
  const filters = examples.filters.filter(({ attribute }) => isName(attribute));
  return {
    version: bundle.version,
    scenarios: bundle.scenarios,
    userId: userIds.find(isPathSegment),
    items: items.filter(({ itemId }) => isPathSegment(itemId)),
    attributes: filters,
    shown: shown.filter((name) => FIELD.test(name)),
    fields: contextFields.filter(({ name }) => isName(name)),
    filters: filters
      .map(({ attribute, kind, values }) => ({
        kind,
        texts: values.map((value) => `${attribute}:${quoteFilterValue(value)}`).filter(isNamedValue),
      }))
      .filter(({ texts }) => texts.length > 0),
    context: contextFields.flatMap(({ name, ...field }) => {
      const value = exampleOf(field);
      const text = `${name}:${value}`;
      return value !== undefined && isNamedValue(text) && isName(name) ? [text] : [];
    }),
  };
}

/** An id that stays what it is in the path of a URL: clients resolve the segments `.` and `..`. */
function isPathSegment(id: string): boolean {
  return isAskable(id) && !/^\.{1,2}$/.test(id);
}

/** In `name:value` the name ends at the first colon. */
function isName(name: string): boolean {
  return !name.includes(':') && isNamedValue(`${name}:1`);
}

/** A name that `fields` can give. */
const FIELD = new RegExp(FIELD_TEXT.pattern, 'u');

function exampleOf({ type, values = [] }: Omit<ContextField, 'name'>): string | undefined {
  return type === 'categorical' ? values[0] : NUMBERS[type];
}

const NUMBERS = { hour: '20', weekday: '6', numeric: '1' } as const;

function describeParameter(parameter: OpenapiParameter, facts: Facts): OpenapiParameter {
  return PARAMETERS[parameter.name]?.(parameter, facts) ?? parameter;
}

const PARAMETERS: Readonly<
  Record<string, (parameter: OpenapiParameter, facts: Facts) => OpenapiParameter | undefined>
> = {
  userId: (parameter, { userId }) => withExample(parameter, userId),
  itemId: (parameter, { items }) => withExample(parameter, items[0]?.itemId),
  scenario: ({ schema, ...parameter }, { scenarios }) => ({
    ...parameter,
    schema: { ...schema, enum: scenarios },
    example: scenarios.includes(DEFAULT_SCENARIO) ? DEFAULT_SCENARIO : scenarios[0],
  }),
  exclude: (parameter, { items }) => {
    const ids = items.slice(1, 3).map(({ itemId }) => itemId);
    return withExamples(parameter, ids.length > 1 ? { 'two items': { value: ids } } : {});
  },
  filter: (parameter, { attributes, filters }) => {
    const [first = [], second = []] = filters.map(({ texts }) => texts);
    const numbers = filters.find(({ kind }) => kind === 'number')?.texts ?? [];
    const examples: [string, string[]][] = [
      ['one value', first.slice(0, 1)],
      ['either of two values', first.length > 1 ? first.slice(0, 2) : []],
      ['two attributes', second.length > 0 ? [first[0]!, second[0]!] : []],
      ['at least', numbers.slice(0, 1).map((text) => afterColon(text, '>='))],
      ['not', first.slice(0, 1).map((text) => afterColon(text, '!'))],
    ];
    const named = attributes.map(
      ({ attribute, kind }) => `${escapePattern(attribute)}:${FILTER_PATTERNS[kind]}`,
    );
    const names = listNames(attributes.map(({ attribute }) => attribute));
    return withExamples(allowNamed(parameter, named, `Attributes: ${names}.`), listed(examples));
  },
  fields: ({ schema, description, ...parameter }, { shown }) => {
    const items = schema['items'] as object;
    const one = `(${shown.map(escapePattern).join('|')})`;
    const pattern = shown.length === 0 ? '^$' : `^(${one}(,${one})*)?$`;
    const [first, second] = shown;
    const described = {
      ...parameter,
      description: `${description} Attributes: ${listNames(shown)}.`,
      schema: { ...schema, items: { ...items, pattern } },
    };
    return withExamples(
      described,
      listed([
        ['one attribute', first === undefined ? [] : [first]],
        ['two attributes', second === undefined ? [] : [`${first!},${second}`]],
      ]),
    );
  },
  context: (parameter, { fields, context }) => {
    const named = fields.map((field) => `${escapePattern(field.name)}:${PATTERNS[field.type]}`);
    const names = listNames(fields.map(({ name }) => name));
    const allowed = allowNamed(parameter, named, `Fields: ${names}.`);
    return withExamples(onceEach(allowed, fields), listed([['every field', [...context]]]));
  },
};

function afterColon(text: string, operator: string): string {
  return text.replace(':', `:${operator}`);
}

/** What the server takes for a value. `[0-9]` since `\d` means the digits of every script to some readers of patterns. */
const PATTERNS: Readonly<Record<ContextField['type'], string>> = {
  hour: '([0-9]|1[0-9]|2[0-3])',
  weekday: '[1-7]',
  numeric: '-?[0-9]{1,30}(\\.[0-9]{1,30})?',
  categorical: `${ID_CHARACTER}+`,
};

function withExample(parameter: OpenapiParameter, example: string | undefined): OpenapiParameter {
  return example === undefined ? parameter : { ...parameter, example };
}

function withExamples(
  { examples, ...parameter }: OpenapiParameter,
  others: OpenapiExamples,
): OpenapiParameter {
  return { ...parameter, examples: { ...examples, ...others } };
}

function listed(examples: readonly (readonly [string, string[]])[]): OpenapiExamples {
  const known = examples.filter(([, value]) => value.length > 0);
  return Object.fromEntries(known.map(([name, value]) => [name, { value }]));
}

/** Only texts of these patterns, or none where there are no patterns. */
function allowNamed(
  { schema, description, ...parameter }: OpenapiParameter,
  patterns: readonly string[],
  names: string,
): OpenapiParameter {
  const items = schema['items'] as object;
  const allowed =
    patterns.length === 0 ? { maxItems: 0 } : { items: { ...items, pattern: `^(${patterns.join('|')})$` } };
  return { ...parameter, description: `${description} ${names}`, schema: { ...schema, ...allowed } };
}

/** A request has one value of a field. */
function onceEach(
  { schema, ...parameter }: OpenapiParameter,
  fields: readonly ContextField[],
): OpenapiParameter {
  if (fields.length === 0) return { ...parameter, schema };
  const allOf = fields.map(({ name }) => ({
    contains: { pattern: `^${escapePattern(name)}:` },
    minContains: 0,
    maxContains: 1,
  }));
  return {
    ...parameter,
    schema: { ...schema, maxItems: fields.length, ...(fields.length > 1 && { allOf }) },
  };
}

function listNames(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ') || 'none';
}

function escapePattern(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}]/g, '\\$&');
}

/** A field of a body allows what the parameter of its name does. */
function describeBodySchema(schema: unknown, facts: Facts): unknown {
  const { properties, ...others } = schema as { properties?: Readonly<Record<string, BodyField>> };
  if (properties === undefined) return schema;
  const described = mapValues(properties, ({ description, ...field }, name) => {
    const parameter = { name, schema: field, ...(description !== undefined && { description }) };
    const { schema: allowed, description: told } = describeParameter(parameter, facts);
    return { ...allowed, ...(told !== undefined && { description: told }) };
  });
  return { ...others, properties: described };
}

interface BodyField extends Readonly<Record<string, unknown>> {
  readonly description?: string;
}

/** What the bodies of the public listener may name. */
interface Body {
  readonly events?: readonly { readonly userId?: string }[];
  readonly userId?: string;
  readonly sessionItems?: readonly string[];
  readonly candidates?: readonly string[];
}

/** A body with a user and items of this bundle. */
function describeBody(body: unknown, { userId, items, scenarios }: Facts): unknown {
  const { events, sessionItems, candidates, ...others } = body as Body;
  const ofUser = userId === undefined ? {} : { userId };
  const [item] = items;
  if (events !== undefined) {
    const ofItem = item && { itemId: item.itemId };
    return {
      events: events.map((event) => ({ ...event, ...(event.userId !== undefined && ofUser), ...ofItem })),
    };
  }
  return {
    ...others,
    ...(others.userId !== undefined && ofUser),
    ...(sessionItems && { sessionItems: nameItems(sessionItems, items) }),
    ...(candidates && { candidates: nameItems(candidates, items) }),
    ...(!scenarios.includes(DEFAULT_SCENARIO) && { scenario: scenarios[0] }),
  };
}

/** As many items of this bundle, as far as there are examples of them. */
function nameItems(ids: readonly string[], items: Facts['items']): readonly string[] {
  return items.length === 0 ? ids : items.slice(0, ids.length).map(({ itemId }) => itemId);
}

/** An answer or a problem as this bundle gives it. */
function describeAnswer(value: unknown, facts: Facts): unknown {
  return isProblem(value) ? describeProblem(value, facts) : describeSuccess(value as Answer, facts);
}

/** What the answers of the public listener may have. */
interface Answer {
  readonly userId?: string;
  readonly itemId?: string;
  readonly bundle?: string;
  readonly strategy?: string;
  readonly items?: readonly object[];
}

function describeSuccess(answer: Answer, { version, userId, items }: Facts): Answer {
  const { bundle, strategy, itemId } = answer;
  // The items of an answer are not the item that was asked about.
  const shown = itemId === undefined || items.length === 0 ? items : items.slice(1);
  return {
    ...answer,
    ...(bundle !== undefined && { bundle: version }),
    ...(strategy === 'personalised' && userId !== undefined && { userId }),
    ...(itemId !== undefined && items[0] !== undefined && { itemId: items[0].itemId }),
    ...(answer.items &&
      items.length > 0 && {
        items: answer.items.slice(0, shown.length).map((item, place) => ({ ...item, ...shown[place] })),
      }),
  };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value;
}

function describeProblem({ code, detail, instance, requestId }: Problem, facts: Facts): Problem {
  const { userId, scenarios, attributes, fields } = facts;
  const known: Partial<Record<typeof code, readonly string[]>> = {
    UNKNOWN_SCENARIO: scenarios,
    UNKNOWN_ATTRIBUTE: attributes.map(({ attribute }) => attribute),
    UNKNOWN_CONTEXT: fields.map(({ name }) => name),
  };
  const names = known[code];
  // These details end with the names that there are.
  const detailed =
    names === undefined ? detail : detail.replace(/[^:]*$/, () => ` ${names.join(', ') || 'none'}.`);
  const path =
    userId !== undefined && instance.startsWith(USERS) ? `${USERS}${encodeURIComponent(userId)}` : instance;
  return buildProblem({ code, detail: detailed }, { id: requestId, path });
}

const USERS = '/recommendations/';
