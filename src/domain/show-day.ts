/** The day of a time (Unix seconds), `2024-03-01`, in UTC; the number where it is no day of the calendar. */
export function showDay(time: number): string {
  const date = new Date(1000 * time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 10);
}
