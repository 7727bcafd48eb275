import type { HttpApp } from './create-http-app.js';

/** Headers that ask for a part of a file, or for it on a condition that fails where the file is another. */
const IGNORED = ['range', 'if-match', 'if-unmodified-since'] as const;

/** Lets an app send its files whole, whatever a request asks of them: what sends files has errors of its own where it cannot meet that. */
export function sendWholeFiles(app: HttpApp): void {
  app.addHook('onRequest', (request, _reply, done) => {
    for (const name of IGNORED) delete request.headers[name];
    done();
  });
}
