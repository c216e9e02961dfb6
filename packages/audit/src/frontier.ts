/** The frontier of a Merkle tree as one text. */
export const joinFrontier = (nodes: readonly string[]): string => nodes.join('');

/** The hashes in it, 64 characters each. */
export const splitFrontier = (text: string): string[] => text.match(/.{64}/g) ?? [];
