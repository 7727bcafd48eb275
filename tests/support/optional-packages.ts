/** Optional packages that a server loads when its settings or its bundle ask for them; all others are of offline commands. */
export function isForServing(name: string): boolean {
  return ['usearch', 'pg'].includes(name) || /^@(opentelemetry|aws-sdk)\//.test(name);
}
