/** The role the app works as; the owner of the tables is another. Alone, so that `svc` need not load the app. */
export const appRole = 'svc_app';
