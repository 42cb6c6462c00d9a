#!/usr/bin/env bash
# Installs the npm packages of the benchmark's Node servers from their lock file, unless that was done since it changed.
#
# better-sqlite3 is compiled where there are a compiler and Node's headers: what it would download instead stands in no
# lock file. It is optional: where it can be neither compiled nor downloaded, the server without it remains.
set -euo pipefail
cd "$(dirname "$0")/../bench/peers/node"

# npm writes this file at the end of an installation.
installed=node_modules/.package-lock.json
if [ "$installed" -nt package-lock.json ] && [ "$installed" -nt package.json ]; then
  exit 0
fi
have() { command -v "$1" >/dev/null 2>&1; }
have npm || { echo "bench-peers: npm is missing" >&2; exit 1; }

prefix=$(node -p 'path.dirname(path.dirname(fs.realpathSync(process.execPath)))')
if [ -f "$prefix/include/node/node_api.h" ] && have python3 && have make && have c++; then
  export npm_config_build_from_source=true npm_config_nodedir="$prefix"
  echo "bench-peers: compiling better-sqlite3: a minute or two" >&2
fi
npm ci --no-audit --no-fund
touch "$installed"
