import { hash } from 'node:crypto';
import { canonicalJson } from '@svc/core';
import type { AuditActor, AuditOutcome } from './event.ts';

/** The chain of the service itself: what belongs to no tenant. */
export const serviceChain = '00000000-0000-0000-0000-000000000000';

export const toChain = (tenantId: string | null): string =>
  tenantId === null ? serviceChain : tenantId.toLowerCase();
export const toTenantId = (chain: string): string | null => (chain === serviceChain ? null : chain);

/** Where an entry stands in its chain. */
export interface ChainLink {
  /** When it happened, in milliseconds since 1970. */
  readonly at: number;
  /** The hash of the entry before, or the genesis of the chain. */
  readonly previous: string;
  /** When it was sealed, in milliseconds since 1970; never runs backwards. */
  readonly sealedAt: number;
  /** 1 for the first of a chain, then without a gap. */
  readonly seq: number;
  readonly tenantId: string | null;
}

/** What an entry says happened; `personal` holds commitments. */
export interface SealedEvent {
  readonly id: string;
  readonly type: string;
  readonly outcome: AuditOutcome;
  readonly actor: {
    readonly type: AuditActor['type'];
    readonly id: string | null;
    readonly reason: string | null;
  };
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly personal: Readonly<Record<string, string>>;
}

export interface EntryBody {
  readonly chain: ChainLink & { readonly v: 1 };
  readonly event: SealedEvent;
}

/**
 * What stands before the first entry of a chain. The tenant is in it: without, the first entries of two tenants
 * could be exchanged.
 */
export function genesisOf(tenantId: string | null): string {
  return hash('sha256', canonicalJson({ log: 'svc-audit', tenantId, v: 1 }), 'hex');
}

/**
 * The canonical JSON (RFC 8785) of an entry, from the canonical JSON of its event. The members stand sorted, so
 * the link comes first and can be read without parsing the rest.
 */
export function bodyOf(
  { at, previous, sealedAt, seq, tenantId }: ChainLink,
  event: string,
): string {
  const tenant = tenantId === null ? 'null' : `"${tenantId}"`;
  return `{"chain":{"at":${at},"previous":"${previous}","sealedAt":${sealedAt},"seq":${seq},"tenantId":${tenant},"v":1},"event":${event}}`;
}

const link =
  /^\{"chain":\{"at":(\d{1,16}),"previous":"([0-9a-f]{64})","sealedAt":(\d{1,16}),"seq":(\d{1,16}),"tenantId":(?:null|"([0-9a-f-]{36})"),"v":1\},"event":\{/;

/** Reads the link of a canonical body; `undefined` when it is none. */
export function linkOf(body: string): ChainLink | undefined {
  const match = link.exec(body);
  if (match === null) return undefined;
  return {
    at: Number(match[1]),
    previous: match[2] as string,
    sealedAt: Number(match[3]),
    seq: Number(match[4]),
    tenantId: match[5] ?? null,
  };
}
