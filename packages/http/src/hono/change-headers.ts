import type { Context } from 'hono';

/** Changes the headers of the answer, also where they are immutable; `change` may run twice. */
export function changeHeaders(c: Context, change: (headers: Headers) => void): void {
  try {
    change(c.res.headers);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // What `fetch` and `Response.redirect` answer has immutable headers.
    c.res = new Response(c.res.body, c.res);
    change(c.res.headers);
  }
}
