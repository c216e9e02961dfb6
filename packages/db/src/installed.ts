/** Imports an optional peer. @throws {Error} that says what to install. */
export async function installed<Module>(
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`This database needs a package that is not installed: npm install ${name}`, {
      cause: error,
    });
  }
}
