import type { Test } from 'tap';

/**
 * A folder of the test that outlives what the test starts. tap removes `t.testdir()` before it tears anything down, unless something was
 * to be torn down before the folder was made; a server that still writes into it then makes the removal fail, and is never ended.
 */
export function makeLastingFolder(t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  t.teardown(() => undefined);
  return t.testdir(content);
}
