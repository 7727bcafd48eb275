/** The headers of every request to a target, with a key where it asks for one. */
export function createRequestHeaders(apiKey: string | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    'user-agent': 'shortlist-load-test',
    ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
  };
}
