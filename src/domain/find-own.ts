/** The value under a name that data chose, where the record has it itself: `constructor` and `__proto__` are names like others. */
export function findOwn<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
