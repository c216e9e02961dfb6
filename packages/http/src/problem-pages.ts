import { type Html, markup } from './markup.ts';
import { type Page, renderPage } from './page.ts';
import { internalProblem, type ProblemDescription, refusals } from './problem.ts';

/** The problems by code, with those that every service can answer, in order of their codes. */
export function collectProblems(
  described: readonly ProblemDescription[],
): ReadonlyMap<string, ProblemDescription> {
  const all = new Map<string, ProblemDescription>();
  for (const problem of [internalProblem, ...refusals, ...described])
    all.set(problem.code, problem);
  return new Map([...all].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The page that a problem's `type` leads to; with a request id, what a person gets in place of the problem. */
export function renderProblemPage(
  { code, status, title }: ProblemDescription,
  base: string,
  requestId?: string,
): Page {
  return renderPage(
    code,
    markup`<main>
      <p><a href="${base}">All problems</a></p>
      <h1>${title}</h1>
      <p class="soft"><code>${code}</code> · status ${status}</p>
      <h2>What to do</h2>
      <p>${adviceOf(status)}</p>
      ${whatToName(requestId)}
    </main>`,
  );
}

function whatToName(requestId: string | undefined): Html {
  if (requestId === undefined)
    return markup`<p>Every problem carries a <code>request_id</code>. Name it when you ask for help.</p>`;
  return markup`<p>Name the request id <code>${requestId}</code> when you ask for help.</p>`;
}

/** What to do about a problem with this status. */
export const adviceOf = (status: number): string =>
  adviceByStatus[status] ?? (adviceByStatus[status < 500 ? 400 : 500] as string);

/** The list of all problems, linking to the page of each. */
export function renderProblemIndex(problems: Iterable<ProblemDescription>, base: string): Page {
  const rows = [...problems].map(
    ({ code, status, title }) =>
      markup`<tr>
        <td>
          <a href="${base}/${code}"><code>${code}</code></a>
        </td>
        <td>${status}</td>
        <td>${title}</td>
      </tr> `,
  );
  return renderPage(
    'Problems',
    markup`<main>
      <h1>Problems</h1>
      <p class="soft">
        What this service answers with when it refuses, as
        <code>application/problem+json</code> (RFC 9457).
      </p>
      <table>
        <thead>
          <tr>
            <th>Code</th>
            <th>Status</th>
            <th>Meaning</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </main>`,
  );
}

const adviceByStatus: Readonly<Record<number, string>> = {
  400: 'Correct the request. Where the problem has errors, each names the place (pointer) and what is wrong there. Sending the same again gives the same answer.',
  401: 'Sign in, or send a valid token, and try again.',
  403: 'You are not allowed to do this. Signing in again does not change that; ask for the permission.',
  404: 'Check the address. What was there may have been deleted, or is not visible to you.',
  405: 'Use one of the methods in the Allow header.',
  408: 'Send the body faster, or in smaller parts.',
  409: 'Read the current state, settle the conflict, and try again.',
  410: 'It is gone for good. Start again from the beginning.',
  412: 'It was changed meanwhile. Read it again, apply your change to the new version, and send its ETag.',
  413: 'Send less at once.',
  415: 'Send the content type that the documentation of this address names, as UTF-8 and without compression.',
  422: 'Correct the request: what it says cannot be done as it stands. Sending the same again gives the same answer.',
  428: 'Read it first, and send its ETag in If-Match.',
  429: 'Wait as long as the Retry-After header says, then try again.',
  500: 'It is not your fault. Try again later; if it stays, tell us the request id.',
  503: 'Wait as long as the Retry-After header says, or some seconds, then try again.',
  504: 'Try again later. What you asked for may or may not have happened: use an idempotency key where one is taken.',
};
