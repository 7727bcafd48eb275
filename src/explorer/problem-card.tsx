import type { VNode } from 'preact';
import type { Refusal } from './api.js';

/** What the server refused. */
export function ProblemCard({ problem }: { problem: Refusal }): VNode {
  return (
    <section class="card problem" role="alert">
      <h2>{problem.title}</h2>
      <p dir="auto">{problem.message}</p>
    </section>
  );
}
