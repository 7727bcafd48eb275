import type { VNode } from 'preact';
import type { Asked } from './address.js';
import type { InspectAnswer } from './contract.js';
import { formatAmount } from './format.js';

/** What was asked and who answered, in a line; with what went wrong on the way. */
export function RequestLine(props: { asked: Asked; answer: InspectAnswer; isLoading: boolean }): VNode {
  const { asked, answer, isLoading } = props;
  return (
    <div class="request-line">
      <p>
        <b>{formatAmount(answer.slate.length, 'item')}</b> <Subject asked={asked} />
        <span class="chip">{answer.scenario}</span>
        {answer.release !== 'stable' && <span class="chip warn">{answer.release}</span>}
        <span class={answer.strategy === 'personalised' ? 'chip good' : 'chip warn'}>
          {answer.strategy === 'personalised' ? 'personal' : 'cold start'}
        </span>
        {isLoading && (
          <span class="quiet" role="status">
            {' '}
            asking anew…
          </span>
        )}
      </p>
      {answer.strategy === 'cold-start' && asked.subject !== 'nobody' && (
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

function Subject({ asked }: { asked: Asked }): VNode {
  const { subject, userId, sessionId, itemId, items } = asked;
  if (subject === 'user') {
    return (
      <>
        for {userId === '' ? 'the session' : 'user'}{' '}
        <bdi class="subject">{userId === '' ? sessionId : userId}</bdi>
      </>
    );
  }
  if (subject === 'item') {
    return (
      <>
        like item <bdi class="subject">{itemId}</bdi>
      </>
    );
  }
  if (subject === 'list') return <>for a history of {formatAmount(items.length, 'item')}</>;
  return <>for nobody in particular</>;
}
