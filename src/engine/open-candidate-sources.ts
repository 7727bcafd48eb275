import type { Manifest } from '../bundle/manifest.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import { openSource, UNTRAINED_SOURCES } from '../candidates/sources.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { ProblemCollector } from './collect-problems.js';
import { listUserViews } from './list-user-views.js';
import { openItemSearch } from './open-item-search.js';
import { type BundleContents, parseArtefact } from './read-bundle.js';

interface SourceOpening {
  readonly itemCount: number;
  /** Is asked for the items nearest to a user, in place of the bundle. */
  readonly vectorEngine: VectorEngineOptions | undefined;
  readonly collected: ProblemCollector;
}

/** The bundle's own sources, and those that need no artefact; without those that could not be opened. */
export async function openCandidateSources(
  contents: BundleContents,
  { itemCount, collected, vectorEngine }: SourceOpening,
): Promise<Map<string, CandidateSource>> {
  const { manifest, files } = contents;
  const opened = new Map<string, CandidateSource>();
  for (const name of listSources(manifest)) {
    const { file, model, index } = manifest.sources[name] ?? {};
    const source = await collected.attempt<CandidateSource>(file ?? `sources.${name}`, () =>
      openSource(name, file === undefined ? undefined : parseArtefact(contents, file), {
        itemCount,
        userViews: listUserViews(manifest),
        rows: file === undefined ? undefined : contents.rows.get(file),
        openSearch: (items, { rows }) => openItemSearch(items, { ...contents, index, rows, vectorEngine }),
        model: model === undefined ? undefined : files.get(model),
      }),
    );
    if (source !== undefined) opened.set(name, source);
  }
  return opened;
}

/** The sources of the bundle without those that training skipped. */
export function listServedSources({ sources }: Manifest): string[] {
  return Object.keys(sources).filter((name) => sources[name]!.skipped === undefined);
}

/**
 * Lists what scenarios ask that no source of the bundle gives, a sentence each. A source that training
 * skipped is missed by no scenario, unless it is the only one.
 */
export function listMissingSources(
  manifest: Manifest,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
): string[] {
  const served = listSources(manifest);
  return [...scenarios.values()].flatMap((scenario) => {
    const asked = Object.keys(scenario.sources);
    const unserved = asked.filter((source) => !served.has(source));
    const missing = unserved.filter((source) => manifest.sources[source] === undefined);
    if (missing.length === 0 && unserved.length === asked.length) {
      return unserved.map(
        (source) =>
          `sources: scenario ${scenario.name} has no source left: ${source} was skipped, ${manifest.sources[source]!.skipped!}`,
      );
    }
    return missing.map(
      (source) => `sources: the bundle has no ${source}, which scenario ${scenario.name} asks`,
    );
  });
}

/** Every source that an engine of the bundle has. */
function listSources(manifest: Manifest): ReadonlySet<string> {
  return new Set([...listServedSources(manifest), ...UNTRAINED_SOURCES]);
}
