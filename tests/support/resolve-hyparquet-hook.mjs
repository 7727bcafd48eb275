const PACKAGES = new URL('../../node_modules/', import.meta.url);

/** A Node module hook: finds the files of hyparquet, and leaves every other module to the loader behind it. */
export async function resolve(specifier, context, nextResolve) {
  if (!specifier.startsWith('hyparquet/src/')) return nextResolve(specifier, context);
  return { url: new URL(specifier, PACKAGES).href, format: 'module', shortCircuit: true };
}
