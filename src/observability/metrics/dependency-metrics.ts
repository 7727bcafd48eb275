import { Counter, type Registry } from 'prom-client';

/** Reads of what lies outside of the process: the bundle registry, files over HTTP, keys of an issuer. */
export interface DependencyMetrics {
  /** Counts an attempt at a dependency that failed and is followed by another. */
  countDependencyRetry(source: string): void;
  /** Adds what was read of a dependency. */
  observeDependencyRead(read: { source: string; bytes: number; rows?: number; seconds: number }): void;
  /** Counts a read of a dependency beyond a limit. */
  countDependencyExcess(event: 'source_slow' | 'source_large', source: string): void;
}

/** Creates the metrics of dependencies, registered with all of `registers`. */
export function createDependencyMetrics(registers: Registry[]): DependencyMetrics {
  const count = (name: string, help: string): Counter =>
    new Counter({ name: `shortlist_source_${name}_total`, help, labelNames: ['source'], registers });
  const retries = count('retries', 'Attempts at an outside source that failed and were followed by another.');
  const bytes = count('read_bytes', 'Bytes read of outside sources.');
  const rows = count('read_rows', 'Rows read of outside sources, where they have rows.');
  const seconds = count('read_seconds', 'Seconds that reads of outside sources took.');
  const slow = count('slow', 'Reads that were slower than their limit.');
  const large = count('large', 'Reads that were larger than sources.maxMegabytes.');
  return {
    countDependencyRetry: (source) => retries.inc({ source }),
    observeDependencyRead: ({ source, ...read }) => {
      bytes.inc({ source }, read.bytes);
      rows.inc({ source }, read.rows ?? 0);
      seconds.inc({ source }, read.seconds);
    },
    countDependencyExcess: (event, source) => (event === 'source_slow' ? slow : large).inc({ source }),
  };
}
