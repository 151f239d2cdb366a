# One image for the worker, the API and the rollouts command: what differs is the command that a container runs.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
# What is installed changes more seldom than the sources: a layer of its own, made again only when the lock file changes.
COPY package.json package-lock.json ./
# Nothing that is used here needs its install script: native parts come as prebuilt packages.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
# The worker's connection to a Temporal server with TLS trusts the system's certificates, which a slim image lacks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=node --group=node /data
WORKDIR /app
ENV NODE_ENV=production
# Without a database server the fleet and the ledger live in a file, the one place that is written to.
ENV DATABASE_URL=file:/data/fleet.db
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY examples examples
VOLUME /data
USER node
CMD ["node", "dist/worker.js"]
