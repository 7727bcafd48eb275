import { ID_CHARACTER } from '../domain/entity-id.js';
import type { FilterKind } from './parse-filter.js';

const NUMBER = '-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?';

const DAY =
  '([0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)|' +
  '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)';
const ZONE = '(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])';
const TIME = `${DAY}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?${ZONE}?)?`;

/** What begins with no operator; `*`, a text in quotation marks and a range of dates are such texts too. */
const TEXT = `[^!<>\\u0000-\\u001f\\u007f-\\u009f]${ID_CHARACTER}*`;

/**
 * What `parseFilterValue` takes for each kind, as patterns for documents. Numbers of more digits are taken too; a text that is a range of
 * numbers (`1..2`) or, where values are no dates, of dates is not, which no pattern that every reader understands can say.
 */
export const FILTER_PATTERNS: Readonly<Record<FilterKind, string>> = {
  number: `!?(\\*|"${NUMBER}"|([<>]=?)?${NUMBER}|${NUMBER}\\.\\.(${NUMBER})?|\\.\\.${NUMBER})`,
  date: `!?([<>]=?${TIME}|${TEXT})`,
  boolean: '!?(\\*|true|false|"true"|"false")',
  text: `!?${TEXT}`,
};
