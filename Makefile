# make test is what CI runs, whole. make bench prints figures, and asserts nothing.
GO            ?= go
LINT_VERSION   = v2.15.0
GOLANGCI_LINT  = bin/golangci-lint-$(LINT_VERSION)
SCORE_VERSION  = v1.20.0
KUBE_SCORE     = bin/kube-score-$(SCORE_VERSION)
SBOM_VERSION   = v1.10.0
SBOM           = bin/cyclonedx-gomod-$(SBOM_VERSION)
FUZZTIME      ?= 20s

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)
# Without the parts of gin and grpc that nobody asks for: 22 MB less.
TAGS     = nomsgpack,grpcnotrace
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

.PHONY: build test fmt vet lint unit model fuzz bench soak docs verify verify-k8s rolling release

build:
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/authd ./cmd/authd

test: fmt vet lint unit model verify

fmt:
	@test -z "$$(gofmt -l .)" || { gofmt -d .; echo "run gofmt -w on the files above"; exit 1; }

vet:
	$(GO) vet ./...
	@$(GO) mod tidy -diff || { echo "run go mod tidy"; exit 1; }

# Built into bin/, so that nobody has to install it and everybody has the same one.
$(GOLANGCI_LINT):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

lint: $(GOLANGCI_LINT)
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...

# -race needs cgo, and so a C compiler.
unit:
	CGO_ENABLED=1 $(GO) test -race -timeout 15m ./...

# The protocol of docs/revocation.md, and with every rule broken in turn. Needs spin and gcc; some two minutes.
model:
	spec/check.sh

$(KUBE_SCORE):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/zegl/kube-score/cmd/kube-score@$(SCORE_VERSION)
	mv bin/kube-score $@

# The manifests, the chart and the compose file: built, compared, decoded strictly, scored. A module of its own, since it needs Kubernetes' types.
# And rules, alerts and dashboards, on a real Prometheus: another one, for PromQL's parser.
verify: $(KUBE_SCORE)
	cd deploy/verify && $(GO) vet ./... && $(GO) mod tidy -diff && $(GO) test ./...
	cd deploy/monitor && $(GO) vet ./... && $(GO) mod tidy -diff && $(GO) test ./...

# Everything applied to a real API server, which is built first (ten minutes of processor time).
verify-k8s:
	deploy/verify/apiserver.sh

# Each fuzz test for FUZZTIME; make unit runs their seeds.
fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 200x $$pkg || exit 1; \
	  done; \
	done

docs:
	$(GO) generate ./...
	cd deploy/monitor && $(GO) generate ./...

# Figures, each a ratio to something measured beside it; docs/performance.md has the last ones.
bench:
	$(GO) run ./internal/bench $(BENCH)

SOAK_FOR  ?= 1h
SOAK_SEED ?= 0
# Five replicas on one Postgres and one Redis under traffic, changes and faults; the seed that it prints replays the schedule.
soak:
	$(GO) test ./internal/soak -run '^TestSoak$$' -v -count=1 -timeout 0 -soak.for=$(SOAK_FOR) -soak.seed=$(SOAK_SEED) -soak.replicas=5

# Replicas replaced by a newer version and back, and scaled, under load behind nginx; make unit runs it too, and says less.
rolling:
	$(GO) test ./deploy/rolling -v -count=1

$(SBOM):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(SBOM_VERSION)
	mv bin/cyclonedx-gomod $@

PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
EPOCH     = $(shell git log -1 --format=%ct)
# An archive for each platform, what is in them, and their checksums, in dist/. The same commit makes the same archives.
release: $(SBOM)
	rm -rf dist && mkdir -p dist
	set -e; for p in $(PLATFORMS); do \
	  os=$${p%/*}; arch=$${p#*/}; name=authd_$(VERSION)_$${os}_$${arch}; dir=dist/$$name; ext=; [ $$os != windows ] || ext=.exe; \
	  mkdir $$dir; cp README.md CHANGELOG.md $$dir; cp -r docs $$dir; [ $$os != linux ] || cp deploy/systemd/authd.service $$dir; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -buildvcs=false -tags timetzdata,$(TAGS) -ldflags '$(LDFLAGS) -buildid=' -o $$dir/authd$$ext ./cmd/authd; \
	  tar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=go=u,go-w -C dist -c $$name | gzip -n >$$dir.tar.gz; rm -r $$dir; \
	done
	$(SBOM) app -json -noserial -main cmd/authd -output dist/authd_$(VERSION)_sbom.cdx.json .
	sed -i 's/"timestamp": "[^"]*"/"timestamp": "'$$(date -u -d @$(EPOCH) +%Y-%m-%dT%H:%M:%SZ)'"/' dist/authd_$(VERSION)_sbom.cdx.json
	cd dist && sha256sum authd_* >SHA256SUMS
