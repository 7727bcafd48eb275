import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { describeAllowed, type ValueSchema } from '../config/describe-allowed.js';
import { showValue } from '../config/show-value.js';

/** What ajv adds with its `verbose` option. */
interface VerboseError extends FastifySchemaValidationError {
  readonly data?: unknown;
  readonly parentSchema?: ValueSchema & { readonly properties?: object; readonly 'x-secret'?: boolean };
}

const MOST = 10;

/** What a key is, by the part of the request that it stands in. */
const KINDS: Readonly<Record<string, string>> = {
  querystring: 'a query parameter',
  body: 'a key of the body',
};

/** Says what does not fit in a request, the first ten problems: each parameter, its value and what is allowed. */
export function describeInvalid(errors: FastifySchemaValidationError[], part: string): Error {
  const problems = [...new Set((errors as VerboseError[]).map((error) => describeError(error, part)))];
  const rest = problems.length > MOST ? [`and ${problems.length - MOST} more`] : [];
  return new Error([...problems.slice(0, MOST), ...rest].join('; '));
}

function describeError(
  { keyword, instancePath, params, data, parentSchema }: VerboseError,
  part: string,
): string {
  if (keyword === 'additionalProperties') {
    const known = Object.keys(parentSchema!.properties!).join(', ') || 'none';
    return `${showValue(params['additionalProperty'])} is not ${KINDS[part] ?? 'known'}; known are ${known}`;
  }
  if (keyword === 'required') return `${String(params['missingProperty'])} is missing`;
  const [, field = `the ${part}`, ...places] = instancePath.split('/');
  // A query repeats a parameter for each value: nobody counts them.
  const name = part === 'body' ? [field, ...places].join('/') : field;
  const isSecret = parentSchema!['x-secret'] === true;
  const shown = isSecret ? 'wrong (it is a secret, and not shown)' : showData(data, keyword);
  return `${name} is ${shown}, allowed is ${describeAllowed(parentSchema!)}`;
}

/** Of a list that is too long, its length says more than its beginning. */
function showData(data: unknown, keyword: string): string {
  return keyword === 'maxItems' ? `a list of ${(data as readonly unknown[]).length}` : showValue(data);
}
