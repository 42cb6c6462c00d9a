#!/usr/bin/env bash
# Builds what is measured, installs the servers it is measured beside, and measures all of it: see bench/README.md.
#
#   scripts/bench.sh                                  writes target/bench/figures.json and chart.svg
#   scripts/bench.sh --svg docs/images/bench.svg      any option of `nodeim-bench all`
#
# Without Node or PostgreSQL it says so, and measures the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --workspace
scripts/bench-peers.sh || echo "bench: going on without the servers that run in Node" >&2

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/bench"
bench=("$target/release/nodeim-bench" all --json "$target/bench/figures.json" --svg "$target/bench/chart.svg" "$@")

if [ -n "${NODEIM_BENCH_POSTGRES_URL:-}" ]; then
  exec "${bench[@]}"
elif [ -z "$(scripts/with-postgres.sh --bin)" ]; then
  echo "bench: going on without PostgreSQL, whose server programs are missing" >&2
  exec "${bench[@]}"
fi
# The program takes the database from a variable, as arguments are seen by everybody on the machine.
# shellcheck disable=SC2016  # the inner shell has the variable
exec scripts/with-postgres.sh --durable \
  sh -c 'NODEIM_BENCH_POSTGRES_URL=$NODEIM_TEST_DATABASE_URL exec "$@"' bench "${bench[@]}"
