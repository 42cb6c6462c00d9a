#!/usr/bin/env bash
# Feeds the decoders that strangers write to with random input, each for some time: nothing may panic, nothing may grow.
#
#   scripts/fuzz.sh            60 seconds each
#   scripts/fuzz.sh 600        10 minutes each
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
targets=(
  transport::socketio09::packet
  transport::socketio09::payload
  transport::socketio09::event
  transport::socketio09::polling
  dialect::mumichat::wire
  transport::socketio::packet
)

cargo test --lib --no-run
for target in "${targets[@]}"; do
  echo "=== $target, $seconds s"
  end=$((SECONDS + seconds))
  rounds=0
  while [ "$SECONDS" -lt "$end" ]; do
    # Each round begins with another seed.
    PROPTEST_CASES=5000 cargo test -q --lib -- "$target" >/dev/null
    rounds=$((rounds + 1))
  done
  [ "$rounds" -gt 0 ] && echo "$rounds rounds of 5,000 inputs for each of its properties"
done
