/** A package that only some commands need. @throws {Error} that says to install it */
export async function loadOptional<Module>(
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(name)) throw error;
    throw new Error(`this command needs the package ${name}: install it beside @svc/cli`, {
      cause: error,
    });
  }
}
