# The exporter without npm, for a numeric user, fit for a read-only root without capabilities:
#   docker build -t bgproutes-exporter .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -p 10479:10479 -e BGP_API_KEY bgproutes-exporter --prefix=192.0.2.0/24
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json build-revision.js build-runbook.js ./
COPY docs/runbook.md docs/
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# What runs needs node alone; what is not there needs no patches.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && mkdir /data && chown 1000:1000 /data
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ARG REVISION=unknown
ENV NODE_ENV=production \
    BGPROUTES_EXPORTER_REVISION=${REVISION}
LABEL org.opencontainers.image.title="bgproutes-exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
USER 1000:1000
EXPOSE 10479
# A volume here and --storage.path=/data, and a restart goes on from the snapshot.
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "dist/main.js", "healthcheck"]
ENTRYPOINT ["node", "/app/dist/main.js"]
