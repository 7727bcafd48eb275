const COUNT = new Intl.NumberFormat('en');

/** A whole number with separators. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** `1 item`, `2 items`. */
export function formatAmount(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A number with three digits that count. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 10_000) return COUNT.format(Math.round(value));
  if (size < 0.0005) return withMinus(value.toExponential(1));
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return withMinus(Number(value.toFixed(decimals)).toString());
}

/** A score, with as many decimals as those that it stands among. */
export function formatScore(value: number, decimals = 3): string {
  const isShort = value === 0 || Math.abs(value) >= 10 ** -decimals;
  return isShort ? withMinus(value.toFixed(decimals)) : formatNumber(value);
}

/** Contributions below it show as 0. */
export const LEAST_SHOWN = 0.0005;

/** A contribution with its sign. */
export function formatContribution(value: number): string {
  if (Math.abs(value) < LEAST_SHOWN) return '0';
  return value > 0 ? `+${formatScore(value)}` : formatScore(value);
}

/** Milliseconds, with one decimal below ten. */
export function formatMilliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : COUNT.format(Math.round(value))} ms`;
}

/** An ISO time as day and minute in UTC; as it is where it is no time. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : time.toISOString().slice(0, 16).replace('T', ' ');
}

/** Seconds as people say them. */
export function formatDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

function withMinus(text: string): string {
  return text.replace('-', '−');
}
