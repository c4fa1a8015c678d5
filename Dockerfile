# The image of federated-etl: docs/guides/image.md. A test runs these steps without a container engine
# (test/image/image.test.ts); it knows ARG, FROM, WORKDIR, COPY, RUN, ENV, LABEL, USER, STOPSIGNAL, ENTRYPOINT and CMD.

# Debian, as Temporal's SDK needs glibc; slim, as nothing is compiled; the version is that of the development dependency
# `node`. A tag can be moved: whoever can look up its digest pins it with --build-arg NODE_IMAGE=…@sha256:….
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
# What the labels and the bill of materials say.
ARG VERSION=0.1.0
ARG COMMIT=unknown

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# An .npmrc for a private registry comes in as a secret and stays in no layer. No package needs its install script.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY . .
ARG VERSION
ARG COMMIT
RUN npm run build -- --version="$VERSION" --commit="$COMMIT"

# Node and what it needs, without what installs packages and without programs that give rights to whoever starts them.
# The link is for `kubectl exec … -- federated-etl status`.
FROM ${NODE_IMAGE} AS base
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
    && rm -f /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && ln -s /app/scripts/federated-etl.cjs /usr/local/bin/federated-etl

# From nothing, so that what was removed takes no room in a layer below.
FROM scratch
COPY --from=base / /
COPY --from=build /src/dist/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/dist /app

ARG VERSION
ARG COMMIT
LABEL org.opencontainers.image.title="federated-etl"
LABEL org.opencontainers.image.description="One cost view over many Kubecost and OpenCost clusters"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="${VERSION}"
LABEL org.opencontainers.image.revision="${COMMIT}"

ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV NODE_ENV=production
# No user of the image has a home; SDKs look for their files there.
ENV HOME=/tmp

# Where federated-etl.yaml is looked for. Nothing is written here, nor anywhere in the image.
WORKDIR /etc/federated-etl
USER 10001:10001
# Node is process 1 and gets this signal; it finishes what is begun and ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "/app/scripts/federated-etl.cjs"]
CMD ["run"]
