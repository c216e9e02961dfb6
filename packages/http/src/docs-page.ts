import { type Html, markup } from './markup.ts';
import type {
  OpenApiContent,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiSchema,
} from './openapi.ts';
import { type Page, renderPage } from './page.ts';

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

/** A page that shows an OpenAPI document to people: made on the server, no script, nothing loaded. */
export function renderDocsPage(document: OpenApiDocument, documentUrl: string): Page {
  const { info } = document;
  const groups = Map.groupBy(
    entriesOf(document),
    ({ operation }) => operation.tags?.[0] ?? 'Other',
  );
  const names = [...groups.keys()];
  return renderPage(
    info.title,
    markup`<header>
        <h1>${info.title}</h1>
        <p class="soft">
          Version ${info.version} · <a href="${documentUrl}">OpenAPI ${document.openapi}</a>
        </p>
        <p>${info.description}</p>
        <nav aria-label="Sections">
          <ul>
            ${names.map((name) => markup`<li><a href="#${anchor(name)}">${name}</a></li>`)}
          </ul>
        </nav>
      </header>
      <main>${[...groups].map(([name, entries]) => section(name, entries, document))}</main>`,
  );
}

function entriesOf(document: OpenApiDocument): Entry[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
}

function section(name: string, entries: readonly Entry[], document: OpenApiDocument): Html {
  const description = document.tags?.find((tag) => tag.name === name)?.description;
  return markup`<section aria-labelledby="${anchor(name)}">
    <h2 id="${anchor(name)}">${name}</h2>
    <p class="soft">${description}</p>
    ${entries.map((entry) => renderOperation(entry, document))}
  </section> `;
}

function renderOperation({ method, path, operation }: Entry, document: OpenApiDocument): Html {
  return markup`<details id="${operation.operationId}">
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span><code>${path}</code
      ><span class="soft">${operation.summary}</span>
    </summary>
    <div>
      <p>${operation.description}</p>
      <p class="soft">
        ${credentialsOf(operation, document)}${operation.deprecated === true ? ' Deprecated.' : ''}
      </p>
      ${parametersOf(operation)}${bodyOf('Request body', operation.requestBody?.content, document)}${responsesOf(operation, document)}
    </div>
  </details> `;
}

function credentialsOf(operation: OpenApiOperation, document: OpenApiDocument): string {
  const names = (operation.security ?? document.security ?? []).flatMap((one) => Object.keys(one));
  return names.length === 0 ? 'Needs no credentials.' : `Needs ${names.join(' or ')}.`;
}

function parametersOf({ parameters = [] }: OpenApiOperation): Html | undefined {
  if (parameters.length === 0) return undefined;
  const rows = parameters.map(
    (one) =>
      markup`<tr>
        <td><code>${one.name}</code></td>
        <td>${one.in}${one.required === true ? ', required' : ''}</td>
        <td>${one.description} ${typeOf(one.schema)}</td>
      </tr>`,
  );
  return markup`<h3>Parameters</h3>
    <table>
      <tbody>
        ${rows}
      </tbody>
    </table> `;
}

function responsesOf({ responses = {} }: OpenApiOperation, document: OpenApiDocument): Html {
  const entries = Object.entries(responses);
  const isProblem = (content?: OpenApiContent) =>
    content?.['application/problem+json'] !== undefined;
  const answers = entries.filter(([, one]) => !isProblem(one.content));
  const problems = entries.filter(([, one]) => isProblem(one.content));
  return markup`${answers.map(
    ([status, one]) =>
      markup`<h3>${status} — ${one.description}</h3>
          ${bodyOf(undefined, one.content, document)}`,
  )}
    <h3>Problems</h3>
    <table>
      <tbody>
        ${problems.map(([status, one]) => problemRows(status, one.content, document))}
      </tbody>
    </table> `;
}

interface ProblemExample {
  readonly value: { readonly type: string; readonly code: string; readonly title: string };
}

function problemRows(
  status: string,
  content: OpenApiContent = {},
  { components }: OpenApiDocument,
): Html[] {
  const codes = Object.keys(content['application/problem+json']?.examples ?? {});
  const known = (components?.['examples'] ?? {}) as Readonly<Record<string, ProblemExample>>;
  const examples = codes.flatMap((code) => known[code] ?? []);
  return examples.map(
    ({ value }) =>
      markup`<tr>
        <td>${status}</td>
        <td>
          <a href="${value.type}"><code>${value.code}</code></a>
        </td>
        <td>${value.title}</td>
      </tr>`,
  );
}

function bodyOf(
  title: string | undefined,
  content: OpenApiContent | undefined,
  document: OpenApiDocument,
): Html[] {
  return Object.entries(content ?? {}).map(([mediaType, { schema, example }]) => {
    const heading = title === undefined ? undefined : markup`<h3>${title}</h3>`;
    const sample =
      example === undefined
        ? undefined
        : markup`<pre>${JSON.stringify(example, undefined, 2)}</pre>`;
    return markup`${heading}
      <p class="soft"><code>${mediaType}</code></p>
      ${fieldsOf(resolve(schema, document), document)}${sample}`;
  });
}

function fieldsOf(schema: OpenApiSchema, document: OpenApiDocument): Html | undefined {
  const rows = fieldRows(schema, document, '', 0);
  if (rows.length > 0)
    return markup`<table>
      <tbody>
        ${rows}
      </tbody>
    </table> `;
  return Object.keys(schema).length === 0 ? undefined : markup`<p>${typeOf(schema)}</p> `;
}

/** Deeper than this a table helps nobody; it also ends recursion. */
const maxDepth = 5;

function fieldRows(
  schema: OpenApiSchema,
  document: OpenApiDocument,
  prefix: string,
  depth: number,
): Html[] {
  const required = (schema['required'] ?? []) as readonly string[];
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, OpenApiSchema>);
  const items = schema['items'] as OpenApiSchema | undefined;
  if (depth > maxDepth) return [];
  if (items !== undefined)
    return fieldRows(resolve(items, document), document, `${prefix}[].`, depth + 1);
  return properties.flatMap(([name, property]) => {
    const field = resolve(property, document);
    const path = `${prefix}${name}`;
    const row = markup`<tr>
      <td><code>${path}</code></td>
      <td>${required.includes(name) ? 'required' : 'optional'}</td>
      <td>${typeOf(field)} ${field['description'] as string | undefined}</td>
    </tr>`;
    const isList = field['items'] !== undefined;
    return [row, ...fieldRows(field, document, isList ? path : `${path}.`, depth + 1)];
  });
}

function resolve(schema: OpenApiSchema | undefined, document: OpenApiDocument): OpenApiSchema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema?.['$ref']))?.[1];
  if (name === undefined) return schema ?? {};
  return (document.components?.['schemas']?.[name] ?? {}) as OpenApiSchema;
}

const facets = [
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'pattern',
  'default',
];

function typeOf(schema: OpenApiSchema = {}): string {
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as readonly OpenApiSchema[] | undefined;
  if (alternatives !== undefined) return alternatives.map(typeOf).join(' or ');
  const choices = schema['enum'] as readonly unknown[] | undefined;
  const type =
    choices?.map((one) => JSON.stringify(one)).join(' | ') ??
    (schema['const'] === undefined
      ? [schema['type'] ?? 'anything'].flat().join(' or ')
      : JSON.stringify(schema['const']));
  const facts = facets
    .filter((name) => schema[name] !== undefined)
    .map((name) => `${name} ${String(schema[name])}`);
  return [type, ...facts].join(', ');
}

function anchor(name: string): string {
  return `section-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
}
