import { Counter, Gauge, type Registry } from 'prom-client';

import type { TrialRelease } from '../../domain/release.js';

/** The bundle in service, for `shortlist_bundle_info`. */
export interface BundleSample {
  readonly version: string;
  readonly dataset: string;
  readonly createdAt: string;
  readonly items: number;
  readonly users: number;
  /** What is tried beside it. */
  readonly trials?: readonly TrialSample[];
}

/** A canary or shadow beside the bundle in service, with its bundle if one is open. */
export interface TrialSample {
  readonly release: TrialRelease;
  readonly bundle?: Pick<BundleSample, 'version' | 'dataset' | 'createdAt'>;
}

/** The bundle in service, and the registry that it comes from. */
export interface BundleMetrics {
  /** Counts a reload, asked for or because a channel moved. */
  countReload(outcome: 'swapped' | 'refused'): void;
  /** Shows whether the channels of the bundle registry can be read. */
  showRegistry(readable: boolean): void;
  /** Shows whether another bundle is in service than a channel points at. */
  showChannelBehind(channel: string, behind: boolean): void;
  /** Sets the bundle gauges; undefined clears them. */
  showBundle(bundle: BundleSample | undefined): void;
}

/** Creates the metrics of the bundle in service, registered with all of `registers`. */
export function createBundleMetrics(registers: Registry[]): BundleMetrics {
  const reloads = new Counter({
    name: 'shortlist_bundle_reloads_total',
    help: 'Reloads, asked for or because a channel moved, by outcome: swapped, or refused while the old bundle went on serving.',
    labelNames: ['outcome'],
    registers,
  });
  const registryUp = new Gauge({
    name: 'shortlist_registry_up',
    help: '1 while the channels of the bundle registry can be read, 0 while they cannot; absent where nobody watches them.',
    labelNames: ['store'],
    registers,
  });
  const channelBehind = new Gauge({
    name: 'shortlist_channel_behind',
    help: '1 while another bundle is in service than the channel points at: it is being opened, or was refused.',
    labelNames: ['channel'],
    registers,
  });
  return {
    countReload: (outcome) => reloads.inc({ outcome }),
    showRegistry: (readable) => registryUp.set({ store: 'bundles' }, readable ? 1 : 0),
    showChannelBehind: (channel, behind) => channelBehind.set({ channel }, behind ? 1 : 0),
    showBundle: createBundleGauges(registers),
  };
}

function createBundleGauges(registers: Registry[]): BundleMetrics['showBundle'] {
  const created = new Gauge({
    name: 'shortlist_bundle_created_timestamp_seconds',
    help: 'When training of the bundle in service ended; time() less this is the age of the model.',
    registers,
  });
  const info = new Gauge({
    name: 'shortlist_bundle_info',
    help: '1 for the bundle in service (release stable), and for each that is tried beside it (canary, shadow).',
    labelNames: ['version', 'dataset', 'created_at', 'release'],
    registers,
  });
  const entities = new Gauge({
    name: 'shortlist_bundle_entities',
    help: 'Items and users that the bundle in service knows.',
    labelNames: ['kind'],
    registers,
  });
  return (bundle) => {
    info.reset();
    entities.reset();
    created.remove();
    if (bundle === undefined) return;
    for (const { release, bundle: shown } of [{ release: 'stable', bundle }, ...(bundle.trials ?? [])]) {
      if (shown === undefined) continue;
      const { version, dataset, createdAt } = shown;
      info.set({ version, dataset, created_at: createdAt, release }, 1);
    }
    created.set(Date.parse(bundle.createdAt) / 1000);
    entities.set({ kind: 'item' }, bundle.items);
    entities.set({ kind: 'user' }, bundle.users);
  };
}
