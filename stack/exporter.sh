#!/bin/sh
# What the exporter of the stack runs: the demo (DEMO_PACE: quick or long), or with a key the real thing, for BGP_PREFIXES or for a configuration file.
set -eu
echo "On this machine: http://localhost:${EXPORTER_PORT:-10479}/ (a port in the lines below is that of the container)" >&2
exporter='node /app/dist/main.js'
if [ -z "${BGP_API_KEY:-}" ]; then
  exec $exporter demo "--pace=${DEMO_PACE:-long}"
fi
set -- serve --storage.path=/data
config=/stack/exporter.yml
[ ! -f "$config" ] || set -- "$@" "--config.file=$config"
if [ ! -f "$config" ] && [ -z "${BGP_PREFIXES:-}" ]; then
  echo "BGP_API_KEY is set, and no prefix is: BGP_PREFIXES=192.0.2.0/24,2001:db8::/32 docker compose up, or write stack/exporter.yml" >&2
  exit 2
fi
# The exporter reads BGP_PREFIXES itself, and names it where one of them is wrong.
exec $exporter "$@"
