import { quoteLiteral } from '../database.js';

/** Every blank of Unicode, and the marks that no screen shows: zero-width spaces and joiners, the byte order mark. */
const BLANKS =
  ' \t\n\v\f\r\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000' +
  '\u200B\u200C\u200D\u200E\u200F\u2060\uFEFF';

/** What other tools write for "no value". `Nan`, `Nil` and `Nat` are names of people. */
const NO_VALUE_WORDS = [
  ...['null', 'NULL', 'Null', '(null)', '(NULL)', '#NULL!', '\\N', '\\n', 'nil', 'NIL', 'undefined'],
  ...['none', 'NONE', 'None', 'na', 'NA', 'n/a', 'N/A', '#N/A', '#NA', '<NA>', '<na>'],
  ...['nan', 'NaN', 'NAN', '-nan', '-NaN', 'NaT'],
];

/** A number as programs write it: no separators of thousands, no underscores, no hexadecimal, digits 0 to 9 only. */
const NUMBER = '[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?';
const INFINITE = '(?i)[+-]?inf(inity)?';

/** What spreadsheets, pandas, R and Java make of a long whole number. `1e5` alone may be a hash. */
const SCIENTIFIC = '[+-]?([0-9]+\\.[0-9]*[eE][+-]?[0-9]+|[0-9]+[eE]\\+[0-9]+)';

/** ISO 8601, also with blanks, slashes, and without leading zeros; the year comes first. A zone is Z, UTC or an offset. */
const INSTANT =
  '[0-9]+[-/][0-9]{1,2}[-/][0-9]{1,2}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?( ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?)?';

/** What most texts are, and what is quick to see: 0.5 s per million, against 9 s to look for every blank there is. */
const BARE_ASCII = '[!-~]([ -~]*[!-~])?';
const ENDS_IN_BLANK = `^[${BLANKS}]|[${BLANKS}]$`;

/** SQL that holds for a text with blanks around it. */
export function hasBlanks(text: string): string {
  // DuckDB evaluates both sides of an AND, and only what is reached of a CASE.
  return `(CASE WHEN regexp_full_match(${text}, '${BARE_ASCII}') THEN false ELSE regexp_matches(${text}, ${quoteLiteral(ENDS_IN_BLANK)}) END)`;
}

/** SQL of a text without the blanks around it, which are part of no value. The other rules expect such texts. */
export function trimmed(text: string): string {
  return `(CASE WHEN ${hasBlanks(text)} THEN trim(${text}, ${quoteLiteral(BLANKS)}) ELSE ${text} END)`;
}

/** SQL that holds for a text with blanks around it that nobody sees: others than spaces, tabs and ends of lines. */
export function hasUnseenBlanks(text: string): string {
  const others = `trim(${text}, ${quoteLiteral(BLANKS)}) <> trim(${text}, ${quoteLiteral(' \t\r\n')})`;
  return `(CASE WHEN ${hasBlanks(text)} THEN ${others} ELSE false END)`;
}

/** SQL that holds for a text that stands for "no value". */
export function isNoValue(text: string): string {
  return `${text} IN (${NO_VALUE_WORDS.map(quoteLiteral).join(', ')})`;
}

/** SQL that holds for a text that is blank or stands for "no value". */
export function isBlankOrNoValue(text: string): string {
  return `(${text} = '' OR ${isNoValue(text)})`;
}

/** SQL of the number that a text is, as DOUBLE; NULL for any other text. */
export function numberOfText(text: string): string {
  return `(CASE WHEN regexp_full_match(${text}, '${NUMBER}') OR regexp_full_match(${text}, '${INFINITE}') THEN TRY_CAST(${text} AS DOUBLE) END)`;
}

/** SQL of the truth value that a text is; NULL for any other text. */
export function booleanOfText(text: string): string {
  return `coalesce(TRY_CAST(${text} AS BOOLEAN), CASE ${numberOfText(text)} WHEN 1 THEN true WHEN 0 THEN false END)`;
}

/**
 * SQL of the Unix seconds of an ISO 8601 text; NULL for any other text. DuckDB is given nothing else: it also knows names
 * of zones, and takes the zone of one row for those of the rows after it.
 */
export function secondsOfText(text: string): string {
  return `(CASE WHEN regexp_full_match(${text}, '${INSTANT}') THEN epoch(TRY_CAST(${text} AS TIMESTAMPTZ)) END)`;
}

/** SQL that holds for a number in scientific notation, as which the last digits of long numbers are lost. */
export function isScientific(text: string): string {
  return `regexp_full_match(${text}, '${SCIENTIFIC}')`;
}

/** SQL of an id as it is kept: whole numbers without the `.0` of a float. */
export function idOfText(text: string): string {
  const whole = `regexp_replace(${withoutZero(text)}, '^-0$', '0')`;
  return `(CASE WHEN contains(${text}, '.0') THEN ${whole} ELSE ${text} END)`;
}

/** SQL of a text without the `.0` of a whole number. */
export function withoutZero(text: string): string {
  return `regexp_replace(${text}, '^(-?[0-9]+)\\.0+$', '\\1')`;
}

/** SQL that holds for a whole number, with `.0` or without. */
export function isWholeNumber(text: string): string {
  return `regexp_full_match(${text}, '-?[0-9]+(\\.0+)?')`;
}

/** SQL that holds for true and false, written out. */
export function isTruthValue(text: string): string {
  return `lower(${text}) IN ('true', 'false')`;
}
