import { useEffect, useRef, useState } from 'preact/hooks';
import { formatView, parseView, type View } from './address.js';
import { Refusal, type Api } from './api.js';
import type { Bundle, InspectAnswer, InspectBody } from './contract.js';
import type { Observable } from './observable.js';

/** The value of an observable, anew when it changes. */
export function useObservable<Value>(observable: Observable<Value>): Value {
  const [value, setValue] = useState(observable.get());
  useEffect(() => {
    const update = (): void => setValue(() => observable.get());
    update();
    return observable.subscribe(update);
  }, [observable]);
  return value;
}

/** What the fragment says, and a way to say another. A new one is a step of the browser’s history. */
export function useView(): [View, (changes: Partial<View>) => void] {
  const [view, setView] = useState(() => parseView(location.hash));
  useEffect(() => {
    const follow = (): void => setView(parseView(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const go = (changes: Partial<View>): void => {
    location.hash = formatView({ ...parseView(location.hash), ...changes });
  };
  return [view, go];
}

/** What is known of an answer: it may be asked for anew while the one of before is shown. */
export interface Loaded<Value> {
  readonly value?: Value | undefined;
  /** What the value is the answer to, which may be asked for no more. */
  readonly answered?: InspectBody | undefined;
  readonly problem?: Refusal | undefined;
  readonly isLoading: boolean;
}

const KEPT_ANSWERS = 8;

/** Answers by their question, so that going back does not ask again; forgotten when the bundle changes. */
export type AnswerMemory = Map<string, InspectAnswer>;

function keep(memory: AnswerMemory, question: string, answer: InspectAnswer): void {
  if (memory.size >= KEPT_ANSWERS) memory.delete(memory.keys().next().value!);
  memory.set(question, answer);
}

/** The answer to a question; undefined asks nothing. `round` asks again. */
export function useInspection(
  api: Api,
  memory: AnswerMemory,
  body: InspectBody | undefined,
  round: number,
): Loaded<InspectAnswer> {
  const question = body === undefined ? '' : JSON.stringify(body);
  const [loaded, setLoaded] = useState<Loaded<InspectAnswer> & { question: string }>({
    question: '',
    isLoading: false,
  });
  useEffect(() => {
    const known = memory.get(question);
    if (body === undefined || known !== undefined) {
      setLoaded({ question, value: known, answered: body, isLoading: false });
      return undefined;
    }
    const controller = new AbortController();
    setLoaded(({ value, answered }) => ({ question, value, answered, isLoading: true }));
    const ask = async (): Promise<Loaded<InspectAnswer>> => {
      try {
        const value = await api.inspect(body, controller.signal);
        keep(memory, question, value);
        return { value, answered: body, isLoading: false };
      } catch (error) {
        return { problem: toRefusal(error), isLoading: false };
      }
    };
    void ask().then((result) => controller.signal.aborted || setLoaded({ question, ...result }));
    return () => controller.abort();
  }, [question, round]);
  return question === loaded.question ? loaded : { ...loaded, isLoading: body !== undefined };
}

/** The bundle in service; `round` asks again. */
export function useBundle(api: Api, round: number): Bundle | undefined {
  const [bundle, setBundle] = useState<Bundle>();
  useEffect(() => {
    const controller = new AbortController();
    api.readBundle(controller.signal).then(setBundle, () => undefined);
    return () => controller.abort();
  }, [round]);
  return bundle;
}

/** A value once it has not changed for a while. */
export function useSettled<Value>(value: Value, milliseconds: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(() => value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Brings the results into view where they stand below a form that fills the screen. */
export function revealResults(): void {
  if (matchMedia('(max-width: 899px)').matches) document.querySelector('.results')?.scrollIntoView();
}

let lastId = 0;

/** An id of an element that no other has. */
export function useElementId(name: string): string {
  const id = useRef('');
  if (id.current === '') id.current = `${name}-${(lastId += 1)}`;
  return id.current;
}

function toRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('The page could not ask', String(error));
}
