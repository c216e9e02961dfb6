/** Where a request came from. All of it is the client's word but the address and the tenant, which are the app's. */
export interface Origin {
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** How the person will recognise the device: the user agent. */
  readonly device?: string | undefined;
  readonly requestId?: string | undefined;
  /** The device cookie; `null` for a browser that has none yet and will keep one, absent for a client that keeps none. */
  readonly deviceToken?: string | null | undefined;
  /** At which tenant's door it came in; needed where identities belong to tenants, and of no meaning where they are global. */
  readonly tenantId?: string | null | undefined;
}

/** What may go into a text column and a log line; request headers hold anything. For whatever writes an origin down. */
export function cleanOrigin({
  address,
  device,
  requestId,
  deviceToken,
  tenantId,
}: Origin = {}): Origin {
  return {
    address: cut(address),
    device: cut(device),
    requestId: cut(requestId),
    deviceToken,
    tenantId,
  };
}

function cut(value: string | undefined): string | undefined {
  return value?.slice(0, 200).replace(/[\p{Cc}\p{Cs}]/gu, '') || undefined;
}
