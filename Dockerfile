# The exporter and Node alone: no npm, no shell, no package manager. For any numeric user, fit for a read-only root without capabilities:
#   docker build -t bgproutes-exporter .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges -p 10479:10479 -e BGP_API_KEY bgproutes-exporter --prefix=192.0.2.0/24
# docker-bake.hcl builds it for releases. Kafka's client, which sources and fleets on Kafka need, is in the image only with
# --build-arg WITH_KAFKA=1.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json build-revision.js build-runbook.js build-page.js ./
COPY docs/runbook.md docs/
COPY src src
ARG WITH_KAFKA=
# The client becomes a dependency like the others, in the version that the lock file has: it is kept, cleaned and tried with them.
RUN npm run build \
    && if [ "$WITH_KAFKA" = 1 ]; then \
      npm pkg set "dependencies.@platformatic/kafka=$(npm pkg get 'devDependencies.@platformatic/kafka' | tr -d '"')" \
      && npm pkg delete 'devDependencies.@platformatic/kafka' 'peerDependencies.@platformatic/kafka' 'peerDependenciesMeta.@platformatic/kafka'; fi \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# What Node never loads: types, maps, documents, and the copies for bundlers that OpenTelemetry ships beside the one for Node. That what
# is left can be loaded is tried here.
RUN find node_modules dist -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.ts' \) -delete \
    && find node_modules -type f -iname '*.md' ! -iname 'licen[cs]e*' -delete \
    && rm -rf node_modules/@opentelemetry/*/build/esm node_modules/@opentelemetry/*/build/esnext node_modules/.package-lock.json \
    && find node_modules -type d \( -name test -o -name tests -o -name benchmarks -o -name '.github' \) -prune -exec rm -rf {} + \
    && node --input-type=module -e 'import { readFileSync } from "node:fs"; for (const name of Object.keys(JSON.parse(readFileSync("package.json", "utf8")).dependencies)) await import(name);' \
    && node dist/main.js --version
# Node with the libraries that it is linked to, where they are looked for, and the names of the user and of the places it may write to.
RUN mkdir -p /rootfs/etc /rootfs/data /rootfs/tmp /rootfs/usr/local/bin \
    && cp /usr/local/bin/node /rootfs/usr/local/bin/ \
    && for library in $(ldd /usr/local/bin/node | grep -o '/[^ ]*' | sort -u); do mkdir -p "/rootfs$(dirname "$library")" && cp -L "$library" "/rootfs$library"; done \
    && printf 'root:x:0:0:root:/:/nologin\nnode:x:1000:1000::/:/nologin\n' >/rootfs/etc/passwd && printf 'root:x:0:\nnode:x:1000:\n' >/rootfs/etc/group \
    && printf 'hosts: files dns\n' >/rootfs/etc/nsswitch.conf \
    && if [ -f /etc/ssl/certs/ca-certificates.crt ]; then mkdir -p /rootfs/etc/ssl/certs && cp -L /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/; fi \
    && chown 1000:1000 /rootfs/data && chmod 1777 /rootfs/tmp

FROM scratch
COPY --from=build /rootfs /
WORKDIR /app
COPY package.json LICENSE NOTICE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ARG REVISION=unknown
ARG VERSION=unknown
ARG CREATED=
ARG SOURCE=
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    BGPROUTES_EXPORTER_REVISION=${REVISION}
LABEL org.opencontainers.image.title="bgproutes-exporter" \
      org.opencontainers.image.description="Prometheus and OpenTelemetry exporter that tells who on the Internet sees your prefixes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
USER 1000:1000
EXPOSE 10479
# A volume here and --storage.path=/data, and a restart goes on from the snapshot.
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "dist/main.js", "healthcheck"]
ENTRYPOINT ["node", "/app/dist/main.js"]
