# The controller's image: Python, git, ssh, gpg, kustomize, helm and sops, no compiler, no shell of ours, not root.
# Build: docker build -t trimtab .
# Run:   docker run --rm trimtab run --help

FROM golang:1.26-bookworm AS tools
ARG KUSTOMIZE_VERSION=v5.8.1
RUN CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" sigs.k8s.io/kustomize/kustomize/v5@${KUSTOMIZE_VERSION}
ARG HELM_VERSION=v3.21.4
RUN CGO_ENABLED=0 go install -trimpath -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=${HELM_VERSION}" \
        helm.sh/helm/v3/cmd/helm@${HELM_VERSION}

FROM golang:1.26-bookworm AS sops
ARG SOPS_VERSION=v3.13.3
RUN CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" github.com/getsops/sops/v3/cmd/sops@${SOPS_VERSION}

FROM python:3.12-slim AS build
WORKDIR /src
COPY .ci/bootstrap.lock .ci/bootstrap.lock
RUN pip install --no-cache-dir --require-hashes -r .ci/bootstrap.lock && python -m venv --without-pip /opt/trimtab
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY controller controller
# The lock constrains the run-time dependencies to the versions and hashes that were tested; the dev extra stays out.
RUN uv pip install --no-cache --python /opt/trimtab/bin/python \
        --constraint requirements.lock --build-constraint requirements.lock --compile-bytecode .

FROM python:3.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client gpg ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --home-dir /var/lib/trimtab --create-home --shell /usr/sbin/nologin trimtab
COPY --from=tools /go/bin/kustomize /go/bin/helm /usr/local/bin/
COPY --from=sops /go/bin/sops /usr/local/bin/sops
COPY --from=build /opt/trimtab /opt/trimtab
ENV PATH=/opt/trimtab/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRIMTAB_DATA_DIR=/var/lib/trimtab
USER 65532:65532
WORKDIR /var/lib/trimtab
VOLUME /var/lib/trimtab
EXPOSE 8080 8081
ENTRYPOINT ["trimtab"]
CMD ["run", "--metrics-bind-address", "0.0.0.0:8080", "--health-bind-address", "0.0.0.0:8081"]
