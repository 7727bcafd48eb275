# The serving image: the server, its configuration and this platform's ONNX Runtime. No DuckDB, no trainer's libraries.
# Bundles are not in it: mount models/ (see docs/container.md).
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Of the optional dependencies a server may be asked for some: the bucket, traces, the graph, the vector engine. The others are of commands
# that an image does not run: prepare, train, evaluate, load-test.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && npm uninstall --no-save --omit=dev --ignore-scripts --no-audit --no-fund \
        @duckdb/node-api ajv cli-progress echarts hdr-histogram-js hyparquet-writer parquetjs-lite undici yauzl
# The package brings ONNX Runtime for five platforms; an image needs its own. process.arch names the folder,
# also when the image is built for another architecture, because this stage then runs under it.
RUN kept="linux/$(node -p process.arch)" \
    && find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 ! -path "*/$kept" -exec rm -rf {} + \
    && find node_modules/onnxruntime-node/bin/napi-v6 -type d -empty -delete \
    && node -e "require('onnxruntime-node')"
COPY .ci/write-sbom.js ./
RUN node write-sbom.js sbom.json --installed

FROM ${NODE_IMAGE}
# `make docker` says them. What an image is, and where it comes from, by the words of the OCI image specification.
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="Shortlist" \
    org.opencontainers.image.description="The serving side of a two-stage recommender" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}"
# As src/serving/bundle-life/serving-environment.ts says: what is freed is given back from a megabyte on, and short-lived garbage has more room.
ENV NODE_ENV=production \
    SHORTLIST_ENV=production \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    NODE_OPTIONS=--max-semi-space-size=32
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# What is in node_modules, as CycloneDX.
COPY --from=dependencies /app/sbom.json ./
COPY package.json LICENSE ./
COPY configs ./configs
# The user `node` of the base image, by number, so that a host can check that it is not root.
USER 1000
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node is process 1, gets the SIGTERM itself and drains before it ends.
CMD ["node", "dist/commands/shortlist.js", "serve"]
