import { markup } from './markup.ts';
import { type Page, renderPage } from './page.ts';

/** What a landing page says of one version. */
export interface VersionSummary {
  readonly name: string;
  readonly docs: string;
  readonly state: string;
}

/** The page at the root of an API: its versions and where each is described. */
export function renderVersionsPage(title: string, versions: readonly VersionSummary[]): Page {
  const rows = versions.map(
    ({ name, docs, state }) =>
      markup`<tr>
        <td><code>/${name}</code></td>
        <td>${state}</td>
        <td><a href="${docs}">Documentation</a></td>
      </tr> `,
  );
  return renderPage(
    title,
    markup`<main>
      <h1>${title}</h1>
      <table>
        <thead>
          <tr>
            <th>Version</th>
            <th>State</th>
            <th></th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </main>`,
  );
}
