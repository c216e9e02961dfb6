/** The failure with a challenge of its own, which `@svc/http` answers in place of the bare `Bearer`. */
export function challenged<Refusal extends Error>(refusal: Refusal, challenge: string): Refusal {
  const headers = { 'WWW-Authenticate': challenge };
  return Object.assign(refusal, { res: new Response(null, { status: 401, headers }) });
}
