# syntax=docker/dockerfile:1
# A static authd and nothing else: no shell, no package manager, no user but one without a name. Built so:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=$(git describe --tags --always) \
#     --build-arg COMMIT=$(git rev-parse HEAD) --build-arg DATE=$(git log -1 --format=%cI) \
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) -t authd .
#
# The compiler runs on the builder's own platform, whatever it builds for: nothing is emulated.
FROM --platform=$BUILDPLATFORM golang:1.26-alpine AS build
RUN apk add --no-cache ca-certificates
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=devel COMMIT=unknown DATE=unknown
# The time zones are in the binary (timetzdata), and the paths of this machine are not (trimpath): the same source makes the same bytes.
# Without what gin and grpc have for msgpack and traces (nomsgpack, grpcnotrace), which nobody asks for, the linker drops what is never
# called: 31 MB instead of more than 51.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -tags timetzdata,nomsgpack,grpcnotrace \
    -ldflags "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" -o /out/authd ./cmd/authd
# The folder of the default database: writable, where nothing else is.
RUN mkdir -p /out/data

FROM scratch
ARG VERSION=devel COMMIT=unknown DATE=unknown
LABEL org.opencontainers.image.title="authd" \
      org.opencontainers.image.description="Decides on API keys, for any ingress" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.created="$DATE"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/authd /authd
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080 8082
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --start-interval=1s --retries=3 CMD ["/authd", "health"]
ENTRYPOINT ["/authd"]
CMD ["serve"]
