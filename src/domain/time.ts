/** Seconds of a day without a change of the clock. */
export const SECONDS_PER_DAY = 86_400;
