import { Type, type Static, type TSchema } from 'typebox';

/** A reference to a named schema, with its type. The schema itself is added to the app and becomes a component of the OpenAPI document. */
export function referenceTo<Schema extends TSchema>(schema: Schema): Type.TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${(schema as { $id?: string }).$id!}#` });
}
