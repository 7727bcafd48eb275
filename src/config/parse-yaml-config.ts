import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import { ShortlistError } from '../domain/errors.js';

/** One thing that TypeBox found wrong; the parts of its error that a message needs. */
interface SchemaProblem {
  readonly keyword: string;
  readonly schemaPath: string;
  /** JSON pointer of the offending value. */
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/**
 * Parses the text of a YAML file and checks it against a schema, unknown keys included (objects of the schema must be
 * closed with `additionalProperties: false`).
 *
 * @throws {ShortlistError} INVALID_CONFIG that lists every problem with file and key path
 */
export function parseYamlConfig<T extends TSchema>(
  schema: T,
  text: string,
  options: { file: string },
): Static<T> {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `${options.file}: ${firstLine(error.message)}`);
    throw new ShortlistError('INVALID_CONFIG', `${options.file} is not valid YAML`, { problems });
  }
  const value: unknown = document.toJS();
  const problems = listSchemaProblems(schema, value);
  if (problems.length === 0) return value as Static<T>;
  throw invalidConfig(options.file, problems);
}

/** An INVALID_CONFIG error over problems that begin with their key path. */
export function invalidConfig(file: string, problems: readonly string[]): ShortlistError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new ShortlistError('INVALID_CONFIG', `${file} is not a valid configuration: ${count}`, {
    problems: problems.map((problem) => `${file}: ${problem}`),
  });
}

/** Every difference between a value and a schema as "key.path: what is wrong", in the schema's order. */
export function listSchemaProblems(schema: TSchema, value: unknown): string[] {
  const found = findAllErrors(schema, value);
  return found.filter((problem) => !isDetail(problem)).flatMap((problem) => describe(problem, found, value));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replace(/:$/, '');
}

/** TypeBox stops at 8 errors unless its process-wide setting says otherwise; the setting is put back. */
function findAllErrors(schema: TSchema, value: unknown): readonly SchemaProblem[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: 1000 });
  try {
    return Value.Errors(schema, value);
  } finally {
    Settings.Set({ maxErrors });
  }
}

/** TypeBox reports an unknown key twice, and a failed union once per member as well: one line each is enough. */
function isDetail(problem: SchemaProblem): boolean {
  return problem.keyword === 'boolean' || problem.schemaPath.includes('/anyOf/');
}

function describe(problem: SchemaProblem, found: readonly SchemaProblem[], root: unknown): string[] {
  const path = problem.instancePath.split('/').slice(1).map(unescapePointer);
  const params = problem.params as Record<string, unknown>;
  switch (problem.keyword) {
    case 'required':
      return (params.requiredProperties as string[]).map((key) => `${keyPath([...path, key])}: is missing`);
    case 'additionalProperties':
      return (params.additionalProperties as string[]).map(
        (key) => `${keyPath([...path, key])}: unknown key`,
      );
    case 'enum':
      return [
        `${keyPath(path)}: ${show(root, path)} is not one of ${(params.allowedValues as unknown[]).join(', ')}`,
      ];
    case 'anyOf':
      return [
        `${keyPath(path)}: ${show(root, path)} is not one of ${allowedByUnion(problem, found).join(', ')}`,
      ];
    default:
      return [`${keyPath(path)}: ${show(root, path)} ${problem.message}`];
  }
}

function allowedByUnion(union: SchemaProblem, found: readonly SchemaProblem[]): string[] {
  const members = found.filter(
    (problem) => problem.instancePath === union.instancePath && problem.schemaPath.includes('/anyOf/'),
  );
  return members.map(({ params }) =>
    'allowedValue' in params ? String(params.allowedValue) : JSON.stringify(params),
  );
}

function keyPath(path: readonly string[]): string {
  return path.length === 0 ? 'the whole file' : path.join('.');
}

function show(root: unknown, path: readonly string[]): string {
  let value = root;
  for (const key of path) value = (value as Record<string, unknown>)[key];
  return JSON.stringify(value) ?? 'nothing';
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
