import { Gauge, type Registry } from 'prom-client';

/** The document of overrides, as a process has it. */
export interface OverrideMetrics {
  /** Shows how many overrides are in force. */
  showOverrides(entries: number): void;
  /** Shows whether the document can be read, and is right. */
  showOverridesUp(up: boolean): void;
}

/** Creates the metrics of overrides, registered with all of `registers`. */
export function createOverrideMetrics(registers: Registry[]): OverrideMetrics {
  const entries = new Gauge({
    name: 'shortlist_overrides',
    help: 'Pins, hides and boosts of the document of overrides that this process has in force.',
    registers,
  });
  const up = new Gauge({
    name: 'shortlist_overrides_up',
    help: '1 while the document of overrides is right and its store answers, 0 while the one of before is in force because it is not.',
    registers,
  });
  return {
    showOverrides: (count) => entries.set(count),
    showOverridesUp: (isUp) => up.set(isUp ? 1 : 0),
  };
}
