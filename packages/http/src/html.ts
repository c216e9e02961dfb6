const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as HTML, safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => entities[letter] as string);
}

const css = `
:root { color-scheme: light dark; --line: #8885; --dim: #777; --accent: #2563eb; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0 0 .25rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
p { margin: .4rem 0; } .dim, small { color: var(--dim); }
a { color: var(--accent); } code, pre { font: 13.5px/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
details > div { padding: 0 1rem 1rem; }
summary { cursor: pointer; padding: .6rem 1rem; display: flex; gap: .8rem; align-items: baseline; flex-wrap: wrap; }
summary code:nth-child(2) { font-weight: 600; }
.method { font: 600 12px/1 ui-monospace, monospace; padding: .3rem .5rem; border-radius: .3rem; color: #fff; background: #475569; min-width: 4.2rem; text-align: center; }
.get { background: #2563eb; } .post { background: #15803d; } .patch, .put { background: #b45309; } .delete { background: #b91c1c; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
h4 { margin: 1rem 0 .2rem; }
`;

/** A page of ours: needs nothing from elsewhere, runs no script. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** The Content-Security-Policy under which `page` works: just its own style, by hash (CSP Level 3). */
export const pagePolicy = `default-src 'none'; style-src '${await styleHash()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

async function styleHash(): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(css));
  return `sha256-${Buffer.from(digest).toString('base64')}`;
}
