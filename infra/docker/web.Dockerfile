# syntax=docker/dockerfile:1
# Image of nginx, with the web page and the way to REST and Web-MQTT. Build it in the root of the repository:
#   docker build --file infra/docker/web.Dockerfile --tag chat21/web .
# A test runs what is copied here, without an engine; not yet built as an image.
FROM node:24-bookworm-slim AS build
ENV CI=true TURBO_TELEMETRY_DISABLED=1
WORKDIR /src
RUN npm install --global pnpm@12.21.0
COPY pnpm-lock.yaml pnpm-workspace.yaml package.json ./
RUN --mount=type=cache,id=pnpm,target=/pnpm pnpm fetch --store-dir /pnpm
COPY . .
RUN --mount=type=cache,id=pnpm,target=/pnpm \
    pnpm install --frozen-lockfile --prefer-offline --store-dir /pnpm \
    && node_modules/.bin/turbo run build --filter="@chat21/web..."

FROM nginxinc/nginx-unprivileged:1.29-alpine
LABEL org.opencontainers.image.title="chat21-web" org.opencontainers.image.licenses="MIT"
# Addresses of the other processes, and of the name servers. The image writes them into the template at start; it finds
# out the name servers only where it is told to.
ENV CHAT21_API_UPSTREAM=http-api:8010 \
    CHAT21_WEB_MQTT_UPSTREAM=rabbitmq:15675 \
    NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1 \
    NGINX_ENVSUBST_FILTER=^(CHAT21_|NGINX_LOCAL_RESOLVERS$)
COPY infra/nginx/chat21.conf.template /etc/nginx/templates/default.conf.template
COPY infra/nginx/security-headers.conf /etc/nginx/chat21-security-headers.conf
COPY --from=build /src/apps/web/dist /usr/share/nginx/html
USER 101:101
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["wget", "--quiet", "--spider", "http://127.0.0.1:8080/nginx-health"]
