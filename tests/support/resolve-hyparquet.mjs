import { register } from 'node:module';

// tap's TypeScript loader resolves packages with an old copy of Node's resolver that knows no `exports` pattern with an
// ending, such as hyparquet's "./src/*.js"; hyparquet-writer imports by that pattern. Node itself resolves it.
register('./resolve-hyparquet-hook.mjs', import.meta.url);
