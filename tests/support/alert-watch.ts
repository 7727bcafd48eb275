import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type FiringAlert, type Prometheus, startPrometheus } from './prometheus.js';
import type { Test } from 'tap';

export const RULES = 'deploy/observability/alerts.yaml';

/** Of these many seconds of the shipped rules the tests make one. */
const HASTE = 60;
const SECONDS = { s: 1, m: 60, h: 3600 };

/**
 * The rules in a hurry: a minute lasts a second. Windows and offsets are between 3 and 15 seconds, nothing is waited for longer than 3,
 * and rules are evaluated four times a second; what they ask for stays.
 */
export function hasten(rules: string): string {
  const seconds = (text: string): number =>
    (Number.parseInt(text) * SECONDS[text.at(-1) as keyof typeof SECONDS]) / HASTE;
  const milliseconds = (count: number): string => `${Math.round(1000 * count)}ms`;
  const shrink = (text: string): string => milliseconds(Math.min(15, Math.max(3, seconds(text))));
  return rules
    .replaceAll(/\[(\d+[smh])\]/g, (_, window: string) => `[${shrink(window)}]`)
    .replaceAll(/\boffset (\d+[smh])\b/g, (_, offset: string) => `offset ${shrink(offset)}`)
    .replaceAll(/^( +for:) (\d+[smh])$/gm, (_, key: string, patience: string) =>
      [key, milliseconds(Math.min(3, seconds(patience)))].join(' '),
    )
    .replaceAll(/^( +interval:) .*$/gm, '$1 250ms');
}

export interface AlertWatch {
  /**
   * Waits until none of some alerts is there, then does something, again and again, until all of them have fired; the test's own
   * time limit ends it otherwise. Gives the labels and the summary of each.
   */
  fire<Name extends string>(
    names: readonly Name[],
    act: () => Promise<unknown>,
  ): Promise<Record<Name, Record<string, string>>>;
  /** Names of what fires or is about to. */
  active(): Promise<string[]>;
}

/** Watches servers with the hastened rules. @param dir where Prometheus keeps its files */
export async function watchAlerts(t: Test, dir: string, targets: readonly string[]): Promise<AlertWatch> {
  const rules = hasten(readFileSync(RULES, 'utf8'));
  const prometheus = await startPrometheus(t, dir, { targets, rules, scrape: '500ms' });
  return {
    active: () => listActive(prometheus),
    fire: async (names, act) => {
      const isThere = (active: string[]): boolean => active.some((name) => names.some((one) => one === name));
      while (isThere(await listActive(prometheus))) await wait(100);
      const fired = new Map<string, Record<string, string>>();
      while (fired.size < names.length) {
        await act();
        const alerts = await prometheus.alerts();
        for (const name of names) {
          const found = findFiring(alerts, name);
          if (found === undefined || fired.has(name)) continue;
          fired.set(name, { ...found.labels, summary: found.annotations['summary']! });
        }
        await wait(50);
      }
      return Object.fromEntries(fired) as Awaited<ReturnType<AlertWatch['fire']>>;
    },
  };
}

/** The alert of a name where it fires. */
export function findFiring(alerts: readonly FiringAlert[], name: string): FiringAlert | undefined {
  return alerts.find(({ state, labels }) => state === 'firing' && labels['alertname'] === name);
}

/** Names of what fires or is about to. */
export async function listActive(prometheus: Prometheus): Promise<string[]> {
  return (await prometheus.alerts()).map(({ labels }) => labels['alertname']!);
}
