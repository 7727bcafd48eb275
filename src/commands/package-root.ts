import { fileURLToPath } from 'node:url';

/** The folder that Shortlist's package.json is in: `dist/commands/` lies two below it. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));
