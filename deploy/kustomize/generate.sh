#!/bin/sh
# Writes the base from the chart, so that both are of one source: sh deploy/kustomize/generate.sh [FOLDER]. Needs helm.
set -eu
# Before anything is written: what stands would be emptied.
command -v helm >/dev/null || { echo "helm is missing: install it, nothing was written" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here}
mkdir -p "$to/base" "$to/monitoring"
chart=$here/../helm/bgproutes-exporter
# render TEMPLATE…: without what only helm's own installs carry. The namespace is the overlay's.
render() {
  for template in "$@"; do
    helm template bgproutes-exporter "$chart" -f "$here/values.yaml" --show-only "templates/$template.yaml"
  done | sed -e '/^ *helm.sh\/chart:/d' -e '/^ *app.kubernetes.io\/managed-by:/d' -e '/^  namespace: default$/d' -e '/^# Source: /d' -e '/^[[:space:]]*$/d'
}
render statefulset access >"$to/base/exporter.yaml"
render monitoring >"$to/monitoring/monitor.yaml"
