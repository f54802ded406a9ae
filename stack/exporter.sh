#!/bin/sh
# What the exporter of the stack runs: the demo (DEMO_PACE: quick or long), or with a key the real thing, for BGP_PREFIXES or for a configuration file.
set -eu
exporter='node /app/dist/main.js'
if [ -z "${BGP_API_KEY:-}" ]; then
  exec $exporter demo "--pace=${DEMO_PACE:-long}"
fi
set -- serve --storage.path=/data
config=/stack/exporter.yml
[ ! -f "$config" ] || set -- "$@" "--config.file=$config"
for prefix in $(echo "${BGP_PREFIXES:-}" | tr ',' ' '); do
  set -- "$@" "--prefix=$prefix"
done
exec $exporter "$@"
