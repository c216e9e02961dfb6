import type { Context } from 'hono';
import { MalformedBody, MalformedUrl, UnsupportedMediaType } from '../failures.ts';
import { decodeUtf8, parseJson } from '../json-body.ts';
import { isWellFormedUrl } from '../well-formed-url.ts';

/** The part of a request that is validated. */
export type ValidatedTarget = 'json' | 'query' | 'param' | 'header' | 'form';

/**
 * Reads one part of a request, strictly.
 *
 * @throws {MalformedBody | MalformedUrl | UnsupportedMediaType}
 */
export async function readInput(c: Context, target: ValidatedTarget): Promise<unknown> {
  switch (target) {
    case 'json':
      requireMediaType(c, isJson, ['application/json']);
      return parseJson(await readBody(c));
    case 'form':
      return readForm(c);
    case 'query':
      requireWellFormedUrl(c);
      return fromEntries(new URL(c.req.raw.url).searchParams);
    case 'param':
      requireWellFormedUrl(c);
      return c.req.param();
    case 'header':
      return c.req.header();
  }
}

const maxFormFields = 1000;
const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data'];

async function readForm(c: Context): Promise<unknown> {
  const mediaType = requireMediaType(c, (type) => formTypes.includes(type), formTypes);
  const bytes = await readBody(c);
  if (mediaType === formTypes[0]) {
    const text = decodeUtf8(bytes);
    if (text.split('&', maxFormFields + 1).length > maxFormFields)
      throw new MalformedBody({ detail: `The form has more than ${maxFormFields} fields.` });
    if (!isWellFormedUrl(text))
      throw new MalformedBody({ detail: 'The form has a broken percent-encoding.' });
    return fromEntries(new URLSearchParams(text));
  }
  const headers = { 'Content-Type': c.req.header('Content-Type') ?? '' };
  try {
    return fromEntries(await new Response(bytes, { headers }).formData());
  } catch {
    // The parser's message may quote the body.
    throw new MalformedBody({ detail: 'The form cannot be read.' });
  }
}

async function readBody(c: Context): Promise<ArrayBuffer> {
  try {
    return await c.req.arrayBuffer();
  } catch (error) {
    // The client left in the middle: no fault of ours, whatever the runtime calls it.
    if (c.req.raw.signal.aborted)
      throw new MalformedBody({ detail: 'The body ended early.' }, { cause: error });
    throw error;
  }
}

const isJson = (mediaType: string) => /^application\/([\w.-]+\+)?json$/.test(mediaType);

function requireMediaType(
  c: Context,
  isRead: (type: string) => boolean,
  accepts: readonly string[],
): string {
  const [type = '', ...parameters] = (c.req.header('Content-Type') ?? '').split(';');
  const mediaType = type.trim().toLowerCase();
  const charset = parameters
    .map((one) => /^\s*charset="?([^"]*)"?\s*$/i.exec(one)?.[1])
    .find(Boolean);
  const isUtf8 = charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset.trim());
  const encoding = c.req.header('Content-Encoding') ?? 'identity';
  // Compressed bodies are not taken: what they unpack to is bounded by no limit on what was sent.
  if (isRead(mediaType) && isUtf8 && encoding.toLowerCase() === 'identity') return mediaType;
  throw new UnsupportedMediaType({
    detail: `Send ${accepts.join(' or ')}, as UTF-8 and not compressed.`,
  });
}

function requireWellFormedUrl(c: Context): void {
  if (!isWellFormedUrl(c.req.raw.url)) throw new MalformedUrl();
}

// A name that comes twice becomes a list, which a schema for one value refuses.
function fromEntries<Value>(entries: Iterable<[string, Value]>): Record<string, Value | Value[]> {
  const lists = Map.groupBy(entries, ([name]) => name);
  return Object.fromEntries(
    [...lists].map(([name, [first, ...others]]): [string, Value | Value[]] => {
      const value = first?.[1] as Value;
      return [name, others.length === 0 ? value : [value, ...others.map((one) => one[1])]];
    }),
  );
}
