# syntax=docker/dockerfile:1
# Image of one of the Node processes. Build it in the root of the repository:
#   docker build --file infra/docker/node.Dockerfile --build-arg APP=server --build-arg HEALTH_PORT=8010 --tag chat21/server .
# APP: server, observer, http-api or webhooks.
# A test runs what is copied here, without an engine; not yet built as an image.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
ARG APP
ENV CI=true TURBO_TELEMETRY_DISABLED=1
WORKDIR /src
RUN npm install --global pnpm@12.21.0
# Dependencies change more rarely than our sources, so they have their own layer.
COPY pnpm-lock.yaml pnpm-workspace.yaml package.json ./
RUN --mount=type=cache,id=pnpm,target=/pnpm pnpm fetch --store-dir /pnpm
COPY . .
RUN --mount=type=cache,id=pnpm,target=/pnpm \
    pnpm install --frozen-lockfile --prefer-offline --store-dir /pnpm \
    && node_modules/.bin/turbo run build --filter="@chat21/${APP}..." \
    && pnpm --filter="@chat21/${APP}" deploy --prod --legacy --store-dir /pnpm /app

FROM ${NODE_IMAGE}
ARG APP
# Port of /healthz: 8010 for server and http-api, 9090 for the others.
ARG HEALTH_PORT=9090
LABEL org.opencontainers.image.title="chat21-${APP}" org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HEALTH_PORT=${HEALTH_PORT}
# The files belong to root, so the process can read them but not change them.
COPY --from=build /app /app
USER 1000:1000
WORKDIR /app
EXPOSE ${HEALTH_PORT}
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/cli.js"]
