import { type BundleFiles, openBundleFiles } from '../bundle/bundle-files.js';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureView } from '../features/feature-view.js';

/** The bundle that a channel points at, and those of its views that a command is about. */
export interface OnlineViews {
  readonly version: string;
  readonly files: BundleFiles;
  readonly views: readonly FeatureView[];
}

/**
 * @param name a view, or `all` of those that are served online
 * @throws ShortlistError BUNDLE_NOT_FOUND, INVALID_BUNDLE; UNKNOWN_VIEW; VIEW_NOT_ONLINE, also where no view is
 */
export async function openOnlineViews(
  registry: BundleRegistry,
  channel: string,
  name: string,
): Promise<OnlineViews> {
  const { version } = await registry.readChannel(channel);
  const files = await openBundleFiles(await registry.pathOf(version), { deferViews: true });
  return { version, files, views: chooseViews(Object.values(files.manifest.views), name) };
}

const DECLARE = 'Say `online: redis` in the declaration of the view, train and publish.';

function chooseViews(views: readonly FeatureView[], name: string): readonly FeatureView[] {
  const online = views.filter((view) => view.online !== undefined);
  if (name === 'all') {
    if (online.length > 0) return online;
    throw new ShortlistError('VIEW_NOT_ONLINE', `No view of the bundle is served online. ${DECLARE}`);
  }
  const view = views.find((one) => one.name === name);
  if (view === undefined) {
    const known = views.map((one) => one.name).join(', ');
    throw new ShortlistError('UNKNOWN_VIEW', `There is no view ${JSON.stringify(name)}; there are ${known}.`);
  }
  if (view.online !== undefined) return [view];
  throw new ShortlistError('VIEW_NOT_ONLINE', `The view ${name} is served from the bundle. ${DECLARE}`);
}
