/** Purges one after the other; one that fails keeps none of the others back. @throws {AggregateError} when any failed, once all were tried */
export async function purgeAll(
  purges: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Readonly<Record<string, unknown>>> {
  const purged: Record<string, unknown> = {};
  const failed: unknown[] = [];
  for (const [name, purge] of Object.entries(purges))
    try {
      purged[name] = await purge();
    } catch (error) {
      failed.push(error);
    }
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} purges failed`);
  return purged;
}
