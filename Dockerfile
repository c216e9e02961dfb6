# syntax=docker/dockerfile:1
# One file, four images: --target api, worker, scheduler or migrations. The app is apps/acceptance.

FROM node:24-slim AS build
ENV CI=true DO_NOT_TRACK=1 TURBO_TELEMETRY_DISABLED=1
RUN npm install --global pnpm@12
WORKDIR /repo
COPY . .
RUN pnpm install --frozen-lockfile
RUN pnpm exec turbo run build
# The app with its production dependencies and nothing else; our packages are in it as they would be published.
RUN pnpm --filter ./apps/acceptance deploy --prod --legacy /app

FROM build AS tester
CMD ["pnpm", "accept"]

FROM node:24-slim AS base
ENV NODE_ENV=production APP_ENV=production HOST=0.0.0.0 PORT=8000
WORKDIR /app
COPY --from=build --chown=root:root /app .
# What the app writes (a PGlite directory) is a volume; its own code is not writable for it.
RUN mkdir /data && chown node:node /data
USER node

FROM base AS migrations
ENTRYPOINT ["node", "node_modules/@svc/cli/dist/bin.js"]
CMD ["db", "migrate"]

FROM base AS worker
CMD ["node", "src/worker.ts"]

FROM base AS scheduler
CMD ["node", "src/scheduler.ts"]

FROM base AS api
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
