import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Media {
  readonly schema: object;
  readonly examples?: Record<string, { value: unknown }>;
}

interface Response {
  readonly description: string;
  /** Absent where there is no body. */
  readonly content?: Record<string, Media>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Record<string, { value: unknown }>;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: Parameter[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, Response>;
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly info: { version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, object> };
}

/** Checks values against the schemas of an OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12. */
export function createOpenapiValidator(document: OpenapiDocument) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, 'openapi');
  const compiled = new Map<object, ValidateFunction>();
  const compile = (schema: object): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(absolute(schema));
    compiled.set(schema, known);
    return known;
  };
  const problemsOf = (schema: object, value: unknown): string[] => {
    const validate = compile(schema);
    return validate(value) ? [] : [ajv.errorsText(validate.errors)];
  };
  return {
    compile,
    problemsOf,
    /** What keeps an answer from being one that the operation declares. */
    problemsOfAnswer(
      operation: Operation,
      answer: { status: number; contentType: string; body: unknown },
    ): string[] {
      const response = operation.responses[answer.status] ?? operation.responses['default']!;
      const media = response.content?.[answer.contentType.split(';')[0]!];
      if (media === undefined) return [`${answer.status} with ${answer.contentType} is not declared`];
      return problemsOf(media.schema, answer.body);
    },
  };
}

/** References of the document, as seen from a schema taken out of it. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components')) as object;
}
