import { SECONDS_PER_DAY } from './time.js';

/** Times without a zone are taken as UTC, while clocks on the other side of the date line are 14 hours ahead. */
const FILE_LEAD_SECONDS = SECONDS_PER_DAY;

/** Clocks of two machines differ by less. A row that says more would shut out all later rows of its entity. */
const PUSH_LEAD_SECONDS = 600;

/** The latest time that a row of a file may say, both in Unix seconds: a day after now. */
export function latestFileTime(now: number): number {
  return now + FILE_LEAD_SECONDS;
}

/** The latest event time that a pushed row may say, both in Unix seconds: ten minutes after now. */
export function latestPushTime(now: number): number {
  return now + PUSH_LEAD_SECONDS;
}
