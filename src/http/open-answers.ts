import { mapOperations, mapValues, type OpenapiDocument } from './openapi-document.js';

/**
 * Opens what a document says of answers: a minor release may add fields and values, which clients that were generated from it
 * must take. Objects may have further fields, lists may be longer, and an enumeration becomes text with its known values as
 * `x-extensible-enum`.
 * Requests stay as strict as the server is.
 *
 * Inside of the server the schemas of answers are closed: what is read from a cache has to be what this release writes.
 */
export function openAnswers(document: OpenapiDocument): OpenapiDocument {
  const opened = mapOperations(document, (operation) => ({
    ...operation,
    responses: mapValues(operation.responses, (response) => ({
      ...response,
      ...(response.headers && { headers: mapValues(response.headers, openSchema) }),
    })),
  }));
  const { components } = document;
  // Bodies and parameters of requests stand in the operations: every named schema is one of answers.
  return { ...opened, components: { ...components, schemas: mapValues(components.schemas, openSchema) } };
}

interface Schema extends Readonly<Record<string, unknown>> {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly description?: string;
}

function openSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(openSchema);
  if (typeof node !== 'object' || node === null) return node;
  // Names of properties are no keywords, whatever they are called.
  const { properties, additionalProperties, maxItems: _, enum: values, ...others } = node as Schema;
  return {
    ...mapValues(others, openSchema),
    ...(properties && { properties: mapValues(properties, openSchema) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: openSchema(additionalProperties),
    }),
    ...(values && openEnumeration(values, others)),
  };
}

function openEnumeration(values: readonly unknown[], { description }: Schema): object {
  const known = `Known values: ${values.map((value) => `\`${String(value)}\``).join(', ')}. A later release may add others.`;
  return {
    description: description === undefined ? known : `${description} ${known}`,
    'x-extensible-enum': values,
  };
}
