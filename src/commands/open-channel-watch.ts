import type { Settings } from '../config/settings.js';
import type { ServiceDescription } from '../serving/bundle-admin.js';
import {
  type ChannelWatch,
  type ChannelWatchOptions,
  watchChannels,
} from '../serving/bundle-life/watch-channels.js';

interface Followed extends Pick<ChannelWatchOptions, 'registry' | 'logger' | 'metrics'> {
  /** What each process has open. */
  readonly descriptions: () => readonly ServiceDescription[];
  /** Opens what the channels point at by now where that is another bundle. */
  readonly reload: () => Promise<unknown>;
}

/** Watches the channels of a server as the settings say; undefined where they say that nobody does. */
export function openChannelWatch(
  { bundle: { watchSeconds, channel } }: Settings,
  { descriptions, reload, ...parts }: Followed,
): ChannelWatch | undefined {
  if (watchSeconds === 0) return undefined;
  return watchChannels({
    ...parts,
    server: { versions: () => listVersions(channel, descriptions()), reload },
    intervalMs: 1000 * watchSeconds,
    random: Math.random,
    now: () => performance.now(),
  });
}

/** The versions in service by channel, of the server's own and of those that are tried beside it. */
export function listVersions(
  channel: string,
  descriptions: readonly ServiceDescription[],
): ReadonlyMap<string, readonly (string | undefined)[]> {
  const versions = new Map([[channel, descriptions.map(({ version }): string | undefined => version)]]);
  for (const { version, trials = [] } of descriptions) {
    for (const { channel: tried, state, bundle } of trials) {
      const known = versions.get(tried) ?? [];
      versions.set(tried, [...known, state === 'same' ? version : bundle?.version]);
    }
  }
  return versions;
}
