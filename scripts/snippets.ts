/** A TypeScript block of a Markdown file. */
export interface Snippet {
  /** The line of the file (from 1) on which its code begins. */
  readonly line: number;
  /** The name that other blocks of the document import it by, where it says `file=…`. */
  readonly file: string | undefined;
  readonly code: string;
}

export interface SnippetFault {
  readonly line: number;
  readonly message: string;
}

/**
 * The blocks fenced as `ts` that must compile. `ts file=app.ts` names a block; `ts ignore-snippet: why`
 * leaves one out, and without a why it is a fault.
 */
export function extractSnippets(markdown: string): { snippets: Snippet[]; faults: SnippetFault[] } {
  const snippets: Snippet[] = [];
  const faults: SnippetFault[] = [];
  const lines = markdown.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(\s*)(```+|~~~+)\s*(\S*)\s*(.*)$/.exec(lines[at] ?? '');
    if (fence === null) continue;
    const [, indent = '', marks = '', language = '', info = ''] = fence;
    const start = at + 1;
    while (++at < lines.length && (lines[at] ?? '').trim() !== marks);
    if (!/^(ts|typescript)$/.test(language)) continue;
    const ignored = /ignore-snippet(?::?\s*(.*))?/.exec(info);
    if (ignored !== null) {
      if (!ignored[1])
        faults.push({
          line: start,
          message: 'ignore-snippet needs a reason: ```ts ignore-snippet: why',
        });
      continue;
    }
    const code = lines
      .slice(start, at)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    snippets.push({ line: start + 1, file: /\bfile=(\S+)/.exec(info)?.[1], code: code.join('\n') });
  }
  return { snippets, faults };
}
