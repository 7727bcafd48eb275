import type { Manifest } from '../bundle/manifest.js';
import type { FeatureView } from '../features/feature-view.js';

/** The views of users of a bundle, in the order in which features take their rows. */
export function listUserViews({ views }: Manifest): FeatureView[] {
  return Object.values(views).filter(({ entity }) => entity === 'user');
}
