import { Type } from 'typebox';

/** Settings of the bundles that are tried beside the one in service. */
const channel = (variable: string, description: string, danger: string) =>
  Type.String({
    pattern: '^([a-z][a-z0-9-]{0,63})?$',
    'x-allowed': 'lower-case letters, digits and hyphens, a letter first, or empty',
    description,
    variable,
    danger,
  });

const scenarios = (variable: string, description: string) =>
  Type.Array(Type.String({ minLength: 1, 'x-allowed': 'the name of a scenario that starts from a user' }), {
    description,
    variable,
  });

/** A bundle that answers a share of the users. */
export const Canary = Type.Object(
  {
    channel: channel(
      'SHORTLIST_CANARY_CHANNEL',
      'Channel whose bundle answers a share of the users. Empty: none. docs/shadow-and-canary.md says how to run one.',
      'It takes the memory of one more bundle, and of two more while it is opened.',
    ),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of the users that it answers: always the same ones, and those stay in it when the share grows.',
      variable: 'SHORTLIST_CANARY_SHARE',
      zero: 'nobody: it is not opened',
    }),
    scenarios: scenarios('SHORTLIST_CANARY_SCENARIOS', 'Scenarios in which it answers them.'),
  },
  { additionalProperties: false },
);

/** A bundle that is asked the same, without answering. */
export const Shadow = Type.Object(
  {
    channel: channel(
      'SHORTLIST_SHADOW_CHANNEL',
      'Channel whose bundle scores requests in shadow: after the answer, on one thread that lets others go first, for metrics and the impression log only. Empty: none.',
      'It takes the memory of one more bundle, and of two more while it is opened.',
    ),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      description:
        'Share of the users whose requests are scored in shadow, where their answer was computed. What one thread cannot keep up with is dropped and counted.',
      variable: 'SHORTLIST_SHADOW_SHARE',
      zero: 'nobody: it is not opened',
    }),
    scenarios: scenarios('SHORTLIST_SHADOW_SCENARIOS', 'Scenarios that it scores.'),
  },
  { additionalProperties: false },
);
