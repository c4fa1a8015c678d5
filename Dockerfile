# The image of federated-etl: docs/guides/image.md. test/image/image.test.ts runs these steps without a container
# engine; it supports ARG, FROM, WORKDIR, COPY, RUN, ENV, LABEL, USER, STOPSIGNAL, ENTRYPOINT and CMD.

# Debian because Temporal's SDK needs glibc; slim because nothing is compiled; the same version as the development
# dependency `node`. A tag can be moved: pin its digest with --build-arg NODE_IMAGE=…@sha256:….
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
# For the labels and the bill of materials.
ARG VERSION=0.1.0
ARG COMMIT=unknown

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# An .npmrc for a private registry is passed as a secret, so it is in no layer. No package needs its install script.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY . .
ARG VERSION
ARG COMMIT
RUN npm run build -- --version="$VERSION" --commit="$COMMIT"

# Node and its libraries, without package managers and without setuid or setgid programs. The link is for
# `kubectl exec … -- federated-etl status`.
FROM ${NODE_IMAGE} AS base
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
    && rm -f /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && ln -s /app/scripts/federated-etl.cjs /usr/local/bin/federated-etl

# From scratch, so that removed files take no space in a lower layer.
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
# The image's user has no home directory, where SDKs look for their files.
ENV HOME=/tmp

# The folder of federated-etl.yaml. Nothing is written here or elsewhere in the image.
WORKDIR /etc/federated-etl
USER 10001:10001
# Node runs as process 1 and receives this signal; it finishes work in progress and exits.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "/app/scripts/federated-etl.cjs"]
CMD ["run"]
