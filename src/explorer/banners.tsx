import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Api, Connection } from './api.js';
import { useElementId, useObservable } from './hooks.js';

/** What stands above everything: how it is with the server, a key that is asked for, a bundle that changed. */
export function Banners(props: {
  api: Api;
  swapped: { from: string; to: string } | undefined;
  askAgain: () => void;
}): VNode {
  const { api, swapped, askAgain } = props;
  const connection = useObservable(api.connection);
  return (
    <>
      <div role="status" class="banners">
        {connection.kind === 'gone' && (
          <p class="banner bad">
            <b>The server does not answer.</b> This page asks again every two seconds and goes on by itself.
          </p>
        )}
        {connection.kind === 'busy' && (
          <p class="banner warn">
            <b>The server is busy.</b> {connection.detail} Asking again in {connection.seconds} s.
          </p>
        )}
        {swapped !== undefined && (
          <p class="banner warn">
            <span>
              <b>The bundle changed between two calls</b>, from <code>{swapped.from}</code> to{' '}
              <code>{swapped.to}</code>. What you see may be of both.
            </span>{' '}
            <button type="button" onClick={askAgain}>
              Ask again
            </button>
          </p>
        )}
      </div>
      {connection.kind === 'key' && <KeyForm api={api} connection={connection} />}
    </>
  );
}

function KeyForm({ api, connection }: { api: Api; connection: Connection & { kind: 'key' } }): VNode {
  const [key, setKey] = useState('');
  const id = useElementId('key');
  const { scope, problem } = connection;
  return (
    <form
      class="banner key"
      aria-label="API key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() === '') return;
        api.useKey(key.trim());
        setKey('');
      }}
    >
      <p role="alert">
        {problem === 'none' && (
          <>
            <b>This server asks for an API key</b> with the scope <code>{scope}</code>.
          </>
        )}
        {problem === 'wrong' && (
          <>
            <b>The server does not accept this key.</b> It wants one with the scope <code>{scope}</code>.
          </>
        )}
        {problem === 'scope' && (
          <>
            <b>This key may not do that:</b> it lacks the scope <code>{scope}</code>.
          </>
        )}
      </p>
      <label for={id}>API key</label>
      <input
        id={id}
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={key}
        onInput={(event) => setKey(event.currentTarget.value)}
        ref={(input) => void (key === '' && input?.focus())}
      />
      <button type="submit" class="main">
        Use this key
      </button>
      <small>It stays in the memory of this page, and goes when you close it.</small>
    </form>
  );
}
