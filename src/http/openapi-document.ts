/** The parts of an OpenAPI 3.1 document that are read or changed here. */
export interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** One method of one path. */
export interface OpenapiOperation {
  readonly parameters?: readonly OpenapiParameter[];
  readonly requestBody?: { readonly content: OpenapiContent };
  readonly responses: Readonly<Record<string, OpenapiResponse>>;
}

/** A parameter of an operation: of the path, the query or the headers. */
export interface OpenapiParameter {
  readonly name: string;
  readonly description?: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly example?: unknown;
  readonly examples?: OpenapiExamples;
}

/** The answer of an operation under one status. */
export interface OpenapiResponse {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: OpenapiContent;
}

/** The bodies that a request or an answer may have, by media type. */
export type OpenapiContent = Readonly<
  Record<string, { readonly schema: unknown; readonly examples?: OpenapiExamples }>
>;

/** Examples by name, as parameters and bodies have them. */
export type OpenapiExamples = Readonly<Record<string, { readonly value: unknown }>>;

/** The document with what `change` makes of each operation. */
export function mapOperations(
  document: OpenapiDocument,
  change: (operation: OpenapiOperation) => OpenapiOperation,
): OpenapiDocument {
  const paths = mapValues(document.paths, (operations) => mapValues(operations, change));
  return { ...document, paths };
}

/** The same keys with what `change` makes of each value. */
export function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]));
}
