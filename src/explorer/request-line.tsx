import type { VNode } from 'preact';
import type { InspectAnswer, InspectBody } from './contract.js';
import { formatAmount } from './format.js';
import { describeWait, nameSubject, NOBODY, quoteBlanks } from './subject.js';

/**
 * What was asked and who answered, in a line; with what went wrong on the way.
 * @param props.answered what the answer is of
 * @param props.wanted what is asked for now: the answer that is shown may be of something before
 */
export function RequestLine(props: {
  answered: InspectBody;
  wanted: InspectBody;
  answer: InspectAnswer;
  isLoading: boolean;
}): VNode {
  const { answered, wanted, answer, isLoading } = props;
  return (
    <div class="request-line">
      <p>
        <b>{formatAmount(answer.slate.length, 'item')}</b> <Subject body={answered} />
        <span class="chip">{answer.scenario}</span>
        {answer.release !== 'stable' && <span class="chip warn">{answer.release}</span>}
        <span class={answer.strategy === 'personalised' ? 'chip good' : 'chip warn'}>
          {answer.strategy === 'personalised' ? 'personal' : 'cold start'}
        </span>
      </p>
      <p role="status" class={isLoading ? 'note warn' : 'unseen'}>
        {isLoading && describeWait(answered, wanted)}
      </p>
      {answer.strategy === 'cold-start' && nameSubject(answered) !== NOBODY && (
        <p class="note">
          The bundle knows no history here, so the list is not personal
          {answer.answeredBy === answer.scenario ? (
            '.'
          ) : (
            <>
              : the scenario <b>{answer.answeredBy}</b> answered in place of <b>{answer.scenario}</b>.
            </>
          )}
        </p>
      )}
      <Degraded answer={answer} />
    </div>
  );
}

/** Where stages could not do their part. */
export function Degraded({ answer }: { answer: InspectAnswer }): VNode | null {
  if (answer.degraded.length === 0) return null;
  return (
    <ul class="note warn plain" aria-label="Degraded">
      {answer.degraded.map(({ stage, reason }) => (
        <li key={`${stage} ${reason}`}>
          <b>Degraded:</b> <code>{stage}</code> fell back (<code>{reason}</code>).
        </li>
      ))}
    </ul>
  );
}

/** Whom a list is for, by what was sent. */
function Subject({ body }: { body: InspectBody }): VNode {
  const { userId, sessionId, itemId } = body;
  const isAlone = userId === undefined;
  if (!isAlone || sessionId !== undefined) {
    return (
      <>
        {!isAlone && (
          <>
            for user <Id id={userId} />
          </>
        )}
        {sessionId !== undefined && (
          <>
            {isAlone ? 'for' : ' with'} the session <Id id={sessionId} />
          </>
        )}
      </>
    );
  }
  if (itemId !== undefined) {
    return (
      <>
        like item <Id id={itemId} />
      </>
    );
  }
  return <>for {nameSubject(body)}</>;
}

/** An id as it is, in quotes where a blank at its end would not be seen. */
function Id({ id }: { id: string }): VNode {
  return <bdi class="subject">{quoteBlanks(id)}</bdi>;
}
