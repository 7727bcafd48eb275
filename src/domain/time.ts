export const SECONDS_PER_DAY = 86_400;
