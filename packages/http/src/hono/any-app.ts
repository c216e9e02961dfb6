import type { Hono } from 'hono';

/** An app, whatever its environment, routes and base path are: one app's `Hono` type is not another's. */
export type AnyApp = Hono<any, any, any>;
