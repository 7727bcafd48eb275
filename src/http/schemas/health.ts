import { Type, type Static } from 'typebox';

/** The answer of `GET /live`. */
export const Liveness = Type.Object(
  { status: Type.Enum(['live'], { type: 'string' }) },
  { $id: 'Liveness', additionalProperties: false, description: 'The process answers.' },
);

export type Liveness = Static<typeof Liveness>;

/** The answer of `GET /ready` when requests are welcome. */
export const Readiness = Type.Object(
  {
    status: Type.Enum(['ready'], { type: 'string' }),
    bundle: Type.String({ description: 'The version of the bundle in service.' }),
    channel: Type.String({ description: 'The channel that the bundle is served from.' }),
  },
  {
    $id: 'Readiness',
    additionalProperties: false,
    description: 'A bundle is open and requests are welcome.',
  },
);

export type Readiness = Static<typeof Readiness>;
