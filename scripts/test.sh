#!/usr/bin/env bash
# Everything that must hold, part by part, up to the first failure; ends with a list of the parts and their results.
#
#   scripts/test.sh               all parts
#   scripts/test.sh format docs   only these, in this order
set -euo pipefail
cd "$(dirname "$0")/.."

ALL=(tools locks npm format clippy docs rust postgres clients browser)

# Most tests wait most of the time.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-4}

# What each part does. A part is a function named part_NAME.
part_tools() { scripts/ensure-tools.sh; }

# A lock file that names download addresses works only where it was made.
part_locks() {
  cargo metadata --locked --format-version 1 >/dev/null
  ! grep -n '"resolved"' static/package-lock.json tests/clients/package-lock.json tests/browser/package-lock.json \
    bench/peers/node/package-lock.json
}

part_npm() {
  (cd static && npm ci --no-audit --no-fund)
  (cd tests/clients && npm ci --no-audit --no-fund)
  (cd tests/browser && npm ci --no-audit --no-fund)
  scripts/bench-peers.sh
}

part_format() { cargo fmt --all --check; }
part_clippy() { cargo clippy --workspace --all-targets -- -D warnings; }
part_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace; }
# With --workspace everywhere: for one package alone cargo would build many dependencies again, with fewer features.
part_rust() { cargo test --workspace; }
# Without what has nothing to do with the database, or with SQLite's alone.
part_postgres() {
  scripts/with-postgres.sh cargo test --workspace --test it --test faults -- \
    --skip siege:: --skip churn:: --skip statements::
}
part_clients() { with_binary scripts/with-postgres.sh npm test --prefix tests/clients; }
part_browser() { with_binary npm test --prefix tests/browser; }

# Runs a command for which NODEIM_BIN is the server that the Rust tests use, too.
with_binary() {
  cargo test --workspace --no-run
  NODEIM_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/nodeim") "$@"
}

results=()
current=
summary() {
  local status=$?
  [ -z "$current" ] || results+=("FAILED  $current")
  echo
  echo "--- results ---"
  printf '%s\n' ${results[@]+"${results[@]}"}
  exit "$status"
}
trap summary EXIT

[ $# -gt 0 ] || set -- "${ALL[@]}"
for part in "$@"; do
  declare -F "part_$part" >/dev/null || { echo "no part is named $part; there are: ${ALL[*]}" >&2; exit 2; }
done
for part in "$@"; do
  echo
  echo "=== $part"
  current=$part
  started=$SECONDS
  # Not in a condition: there `set -e` would not hold inside of the part.
  "part_$part"
  results+=("ok      $part ($((SECONDS - started)) s)")
  current=
done
