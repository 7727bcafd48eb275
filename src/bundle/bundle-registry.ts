import type { AuditEntry, AuditEvent } from './audit-entry.js';
import type { Manifest } from './manifest.js';

/** Channels that versions are promoted to, each with the one that it gets them from: candidate → staging → production. */
export const PROMOTED_FROM = { staging: 'candidate', production: 'staging' } as const;

/** A channel that versions are promoted to. */
export type PromotedChannel = keyof typeof PROMOTED_FROM;

/** The version that a channel serves, and those that it served before. */
export interface ChannelPointer {
  readonly version: string;
  /** Versions the channel pointed at before, the latest first. */
  readonly previous: readonly string[];
  /** ISO 8601. */
  readonly updatedAt: string;
  /** Whose bundles the channel takes; absent in files of earlier releases, where it is the dataset of the version. */
  readonly dataset?: string | undefined;
}

/** Options of everything that moves a channel. */
export interface MoveOptions {
  /** Lets a channel take a bundle of another dataset than it has; that is refused otherwise. */
  readonly allowDatasetChange?: boolean | undefined;
}

/** Options of `BundleRegistry.promote`. */
export interface PromoteOptions extends MoveOptions {
  /** `production` by default. */
  readonly to?: PromotedChannel | undefined;
  /** What the channel pointed at when it was decided to move it, null for nothing: it is not moved when that has changed. */
  readonly expected?: string | null | undefined;
  /** Goes into the audit log right before the channel is moved. */
  readonly event?: AuditEvent | undefined;
}

/**
 * Holds published bundles: one immutable folder per version, and channels (`candidate`, `staging`,
 * `production`) that point at versions. Moving a channel never moves files. What changes a registry holds its
 * lock meanwhile, and looks again once it has it: each of these methods may throw LOCKED when others do not
 * let go of it, and CONFLICT when it was taken over.
 */
export interface BundleRegistry {
  /**
   * Verifies a trained bundle, copies it in as its version and points a channel at it; all or nothing. Publishing the
   * same bundle again only moves the pointer. What publishes that were killed over a day ago left is removed.
   * @param options.channel `staging` by default
   * @returns the version
   * @throws ShortlistError BUNDLE_NOT_FOUND; INVALID_BUNDLE when the bundle is not sound or another one has its version; OTHER_DATASET
   */
  publish(
    trainedFolder: string,
    options?: MoveOptions & { channel?: 'candidate' | 'staging' },
  ): Promise<string>;
  /** All versions, oldest first. */
  list(): Promise<string[]>;
  /** @throws ShortlistError BUNDLE_NOT_FOUND when the channel points nowhere, INVALID_BUNDLE when its file is not sound */
  readChannel(channel: string): Promise<ChannelPointer>;
  /**
   * A local folder that holds the version.
   * @throws ShortlistError BUNDLE_NOT_FOUND, listing the versions there are
   */
  pathOf(version: string): Promise<string>;
  /** Points a channel at a version; what it pointed at before goes into its history. Throws as pathOf does, and OTHER_DATASET. */
  point(channel: string, version: string, options?: MoveOptions): Promise<ChannelPointer>;
  /**
   * Points a channel, `production` by default, at a version, by default the one that the channel before it points at, after
   * verifying its files.
   * @throws ShortlistError BUNDLE_NOT_FOUND, INVALID_BUNDLE, OTHER_DATASET; CONFLICT when the channel was moved since it was decided
   */
  promote(version?: string, options?: PromoteOptions): Promise<ChannelPointer>;
  /**
   * Points a channel at the version before, and forgets the one it leaves; again goes further back.
   * @throws ShortlistError BUNDLE_NOT_FOUND when there is none before, or it was removed; OTHER_DATASET
   */
  rollback(channel: string, options?: MoveOptions): Promise<ChannelPointer>;
  /** Every channel there is, by name. */
  listChannels(): Promise<ReadonlyMap<string, ChannelPointer>>;
  /**
   * What the manifest of a version says, without its files being verified.
   * @throws ShortlistError BUNDLE_NOT_FOUND, INVALID_BUNDLE
   */
  readManifest(version: string): Promise<Manifest>;
  /** Takes a version out, whoever points at it. Throws as pathOf does. */
  remove(version: string): Promise<void>;
  /**
   * Takes a version out unless a channel points at it, or would be rolled back to it, at that moment.
   * @returns whether it was taken out
   */
  removeUnused(version: string): Promise<boolean>;
  /** Adds to the audit log; `publish`, `rollback` and what removes do so themselves, before they act. */
  record(event: AuditEvent): Promise<void>;
  /** The audit log, oldest first. */
  readAudit(): Promise<AuditEntry[]>;
}
