#!/usr/bin/env bash
# Installs the servers and programs that the guests' tests talk to, where that may be done: as root, with apt-get. Without
# them the tests say what they skipped. No service is started: the tests start their own.
set -euo pipefail

# Debian keeps each version of PostgreSQL in a folder of its own.
installed() { command -v "$1" || compgen -G "/usr/lib/postgresql/*/bin/$1"; } > /dev/null

packages=()
installed redis-server || packages+=(redis-server)
installed postgres || packages+=(postgresql)
installed rabbitmq-server || packages+=(rabbitmq-server)
installed wrk || packages+=(wrk)
installed h2load || packages+=(nghttp2-client)
[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "tests/ecosystem: not installed, and may not be installed here: ${packages[*]}"
  exit 0
fi

# Where this file says 101, packages start no services.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
(apt-get update && apt-get install --yes --no-install-recommends "${packages[@]}") > /dev/null 2>&1 ||
  echo "tests/ecosystem: could not be installed: ${packages[*]}"
