/** A piece of HTML that is safe to send. */
export interface Html {
  readonly '~html': string;
}

type Piece = Html | string | number | undefined | readonly Piece[];

/** Makes HTML from a template; every text put into it is escaped. */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let text = parts[0] ?? '';
  pieces.forEach((piece, i) => (text += render(piece) + (parts[i + 1] ?? '')));
  return { '~html': text };
}

function render(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece === 'string' || typeof piece === 'number') return escapeHtml(String(piece));
  return '~html' in piece ? piece['~html'] : piece.map(render).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
