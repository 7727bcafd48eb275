import type { BundleRegistry } from '../bundle/bundle-registry.js';
import type { Settings } from '../config/settings.js';
import { type ChannelWatch, type ChannelWatchOptions, watchChannels } from '../serving/watch-channels.js';

/** Watches the channels of a server as the settings say; undefined where they say that nobody does. */
export function openChannelWatch(
  { bundle: { watchSeconds } }: Settings,
  registry: Pick<BundleRegistry, 'readChannel'>,
  options: Pick<ChannelWatchOptions, 'server' | 'logger' | 'metrics'>,
): ChannelWatch | undefined {
  if (watchSeconds === 0) return undefined;
  const now = (): number => performance.now();
  return watchChannels({ ...options, registry, intervalMs: 1000 * watchSeconds, random: Math.random, now });
}
