import type { AppParts } from './app-parts.js';
import { describeBundle } from './describe-bundle.js';
import { openAnswers } from './open-answers.js';
import type { OpenapiDocument } from './openapi-document.js';
import type { RequestExamples } from '../serving/request-examples.js';

/** Makes the document that clients see of the one that the routes make. */
export type DocumentPublisher = (document: OpenapiDocument) => OpenapiDocument;

/**
 * Creates the publisher of the public listener: answers are open to additions, and parameters and examples are those of the bundle
 * in service. Where requests need credentials and the documentation does not, no user, item or value is an example: everybody
 * could read them.
 */
export function createDocumentPublisher({
  bundleAdmin,
  settings: { auth },
}: Pick<AppParts, 'bundleAdmin' | 'settings'>): DocumentPublisher {
  const isForEverybody = auth.mode === 'required' && auth.openRoutes.includes('docs');
  let published: { document: OpenapiDocument; examples: RequestExamples | undefined } | undefined;
  return (document) => {
    const examples = bundleAdmin.examples();
    if (published === undefined || published.examples !== examples) {
      const opened = openAnswers(document);
      published = { document: examples === undefined ? opened : describe(opened, examples), examples };
    }
    return published.document;
  };

  function describe(document: OpenapiDocument, examples: RequestExamples): OpenapiDocument {
    const shown = isForEverybody ? withoutData(examples) : examples;
    return describeBundle(document, { examples: shown, bundle: bundleAdmin.describe()! });
  }
}

/** Names of attributes and fields stay: without them the document would allow what is refused. */
function withoutData({ filters, shown, contextFields }: RequestExamples): RequestExamples {
  return {
    userIds: [],
    items: [],
    filters: filters.map((filter) => ({ ...filter, values: [] })),
    shown,
    contextFields: contextFields.map(({ name, type }) => ({ name, type })),
  };
}
