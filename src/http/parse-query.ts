import type { preValidationHookHandler } from 'fastify';
import type { TObject } from 'typebox';

/**
 * A hook that gives the texts of a query string the types of its schema, so that validation needs no coercion: canonical
 * decimal integers become numbers, a single value of a repeatable key becomes a list. Every other text stays, for validation
 * to refuse: coercion would take `1e1`, ` 5` and `0x10` for integers.
 */
export function parseQuery(schema: TObject): preValidationHookHandler {
  const types = Object.entries(schema.properties as Record<string, { type?: string }>);
  const integers = types.filter(([, { type }]) => type === 'integer').map(([key]) => key);
  const lists = types.filter(([, { type }]) => type === 'array').map(([key]) => key);
  return function parse(request, _reply, done) {
    const query = request.query as Record<string, unknown>;
    for (const key of integers) {
      const value = query[key];
      if (typeof value === 'string' && INTEGER.test(value)) query[key] = Number(value);
    }
    for (const key of lists) {
      const value = query[key];
      if (typeof value === 'string') query[key] = [value];
    }
    done();
  };
}

const INTEGER = /^(0|-?[1-9]\d{0,8})$/;
