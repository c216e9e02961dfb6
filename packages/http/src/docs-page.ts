import { escapeHtml, page } from './html.ts';
import type { OpenApiDocument, OpenApiOperation } from './openapi-document.ts';

/** The OpenAPI document as a page for people, grouped by tag. Needs no script and nothing from elsewhere. */
export function docsPage(document: OpenApiDocument): string {
  const { info, paths } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags.slice(0, 1)))];
  const sections = tags.map((tag) => {
    const inTag = operations.filter(({ operation }) => operation.tags[0] === tag);
    return `<h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>\n${inTag.map(operationHtml).join('\n')}`;
  });
  const contents = tags.map((tag) => `<a href="#${escapeHtml(tag)}">${escapeHtml(tag)}</a>`).join(' · ');
  return page(
    info.title,
    `<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description)}</p>
<p class="dim">${contents} · <a href="openapi.json">openapi.json</a></p>
${sections.join('\n')}`,
  );
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: OpenApiOperation }): string {
  const { operationId, summary, description, parameters = [], requestBody, responses, security } = operation as OpenApiOperation & {
    description?: string;
    requestBody?: { content: Record<string, { schema: object }> };
    security?: readonly object[];
  };
  const open = security?.length === 0 ? ' <small>no sign-in</small>' : '';
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => `<h4>Body <small>${escapeHtml(type)}</small></h4>${schemaHtml(schema)}`);
  return `<details id="${escapeHtml(operationId)}">
<summary><span class="method ${method}">${method.toUpperCase()}</span><code>${escapeHtml(path)}</code><span>${escapeHtml(summary)}</span>${open}</summary>
<div>${description === undefined ? '' : `<p>${escapeHtml(description)}</p>`}
${parametersHtml(parameters)}${bodies.join('')}
<h4>Answers</h4>
<table>${Object.entries(responses).map(responseHtml).join('')}</table>
</div></details>`;
}

function parametersHtml(parameters: readonly object[]): string {
  if (parameters.length === 0) return '';
  const rows = (parameters as { name: string; in: string; required: boolean; schema: object }[]).map(
    (each) =>
      `<tr><td><code>${escapeHtml(each.name)}</code><td>${each.in}${each.required ? '' : ', optional'}<td><code>${escapeHtml(JSON.stringify(each.schema))}</code></tr>`,
  );
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`;
}

function responseHtml([status, response]: [string, object]): string {
  const { description, content = {} } = response as { description: string; content?: Record<string, { schema: object }> };
  const body = content['application/json']?.schema;
  return `<tr><td><code>${escapeHtml(status)}</code><td>${escapeHtml(description)}${body === undefined ? '' : schemaHtml(body)}</tr>`;
}

const schemaHtml = (schema: object) => `<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`;
