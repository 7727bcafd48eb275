import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { listFiles, REPOSITORY } from './markdown-pages.js';

/** Rooms of which not every export has a docblock yet. */
const UNFINISHED = new Set<string>([]);
const ROOMS = readdirSync(join(REPOSITORY, 'src')).filter((room) => !UNFINISHED.has(room));

t.test('every export has a docblock', async (t) => {
  for (const room of ROOMS) {
    const files = listFiles(`src/${room}`).filter((path) => path.endsWith('.ts'));
    t.not(files.length, 0, `src/${room} has files`);
    const bare = files.flatMap((path) =>
      listUndocumented(readFileSync(join(REPOSITORY, path), 'utf8')).map((name) => `${path}: ${name}`),
    );
    t.strictSame(bare, [], `src/${room}`);
  }
});

t.test(
  'a comment that is no docblock does not count, and a name that is a value and a type needs one',
  async (t) => {
    const source = `
    /** Documented. */
    export function a() {}
    // Only a comment.
    export function b() {}
    export const c = 1, d = 2;
    /** The schema of it. */
    export const E = 1;
    export type E = typeof E;
    function hidden() {}
    export interface F {}
    export class G {}
    /** About what follows it. */

    export enum H {}`;
    t.strictSame(listUndocumented(source), ['b', 'c', 'd', 'F', 'G']);
  },
);

/** The names of what a module declares and exports without a docblock. */
function listUndocumented(source: string): string[] {
  const { statements } = ts.createSourceFile('module.ts', source, ts.ScriptTarget.Latest, true);
  const exported = statements.filter(
    (statement) =>
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true,
  );
  const documented = new Set(exported.filter(hasDocblock).flatMap(namesOf));
  return exported.flatMap(namesOf).filter((name) => !documented.has(name));
}

function hasDocblock(statement: ts.Statement): boolean {
  return ts.getJSDocCommentsAndTags(statement).some((node) => ts.isJSDoc(node));
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.getText()];
}
