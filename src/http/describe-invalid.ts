import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { describeAllowed, type ValueSchema } from '../config/describe-allowed.js';
import { showValue } from '../config/show-value.js';

/** What ajv adds with its `verbose` option. */
interface VerboseError extends FastifySchemaValidationError {
  readonly data?: unknown;
  readonly parentSchema?: ValueSchema & { readonly properties?: object };
}

const MOST = 10;

/** Says what does not fit in a request, the first ten problems: each parameter, its value and what is allowed. */
export function describeInvalid(errors: FastifySchemaValidationError[]): Error {
  const problems = [...new Set((errors as VerboseError[]).map(describeError))];
  const rest = problems.length > MOST ? [`and ${problems.length - MOST} more`] : [];
  return new Error([...problems.slice(0, MOST), ...rest].join('; '));
}

function describeError({ keyword, instancePath, params, data, parentSchema }: VerboseError): string {
  if (keyword === 'additionalProperties') {
    const known = Object.keys(parentSchema!.properties!).join(', ');
    return `${showValue(params['additionalProperty'])} is not a query parameter; known are ${known}`;
  }
  const [, name] = instancePath.split('/');
  return `${name} is ${showValue(data)}, allowed is ${describeAllowed(parentSchema!)}`;
}
