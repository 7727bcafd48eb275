import { Counter, Gauge, type Registry } from 'prom-client';

/** How far something is from what it was in training. */
export interface DriftSample {
  readonly kind: 'score' | 'feature' | 'source';
  readonly name: string;
  /** Population Stability Index. */
  readonly psi: number;
}

/** The distance of what is served from what was trained on. */
export interface DriftMetrics {
  /** Sets the drift of everything that is watched, of one full window; an empty list clears it. */
  showDrift(drifts: readonly DriftSample[]): void;
}

/** Creates the metrics of drift, registered with all of `registers`. */
export function createDriftMetrics(registers: Registry[]): DriftMetrics {
  const psi = new Gauge({
    name: 'shortlist_drift_psi',
    help: 'Population Stability Index of the last window against training, of the score, a feature or the share of a source; above 0.25 it is another population.',
    labelNames: ['kind', 'name'],
    registers,
  });
  const windows = new Counter({
    name: 'shortlist_drift_windows_total',
    help: 'Windows of drift that were full.',
    registers,
  });
  return {
    showDrift: (drifts) => {
      psi.reset();
      for (const { kind, name, psi: value } of drifts) psi.set({ kind, name }, value);
      if (drifts.length > 0) windows.inc();
    },
  };
}
