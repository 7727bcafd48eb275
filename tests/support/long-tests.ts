/** Options of a test that takes too long for every day: `make test-failures` runs it. */
export const LONG = {
  skip: process.env['LONG_TESTS'] === '1' ? false : 'long: make test-failures runs it',
} as const;
