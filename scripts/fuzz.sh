#!/usr/bin/env bash
# Feeds the decoders that strangers write to with random input, each for some time: nothing may panic, nothing may grow.
# As many at once as there are cores. The same properties are part of `cargo test`, with a few inputs each.
#
#   scripts/fuzz.sh                       a minute each
#   scripts/fuzz.sh 600                   10 minutes each
#   scripts/fuzz.sh 60 chat::html ...     only these
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -eq 0 ] || shift
targets=(
  # Bytes and packets.
  transport::websocket
  transport::socketio::packet
  transport::socketio::text
  transport::socketio09::address
  transport::socketio09::packet
  transport::socketio09::payload
  transport::socketio09::event
  transport::socketio09::polling
  transport::jsonsocket::connection
  # Commands and their parameters.
  dialect::nodeim::envelope
  dialect::nodeim::loose
  dialect::nodeim::tests
  dialect::mumichat::wire
  # Headers and bodies.
  http::address
  http::files::api
  http::files::form
  http::files::media
  # What people write, and upload.
  chat::html
  chat::words
  chat::names
  chat::profile
  chat::files::names
  chat::files::panel
  blobs::kind
  blobs::picture
)
[ $# -eq 0 ] || targets=("$@")

# More than any of them needs: an input that costs gigabytes ends its target.
MEMORY_MAX_KIB=$((4 << 20))
# Inputs for each property in a round; every round begins with another seed.
CASES=2000

program=$(cargo test --lib --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
[ -x "$program" ] || { echo "the tests could not be built" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# One target, in a file of its own so that lines do not mix.
fuzz() {
  local target=$1 log="$folder/${1//:/_}" rounds=0 end=$((SECONDS + seconds))
  ulimit -v "$MEMORY_MAX_KIB"
  while [ "$SECONDS" -lt "$end" ]; do
    if ! PROPTEST_CASES=$CASES "$program" "$target" >"$log" 2>&1; then
      echo "FAILED  $target, round $((rounds + 1)):"
      cat "$log"
      return 1
    fi
    # A name without tests would pass for ever.
    grep -q "test result: ok. 0 passed" "$log" && { echo "FAILED  $target: there are no such tests"; return 1; }
    rounds=$((rounds + 1))
  done
  echo "ok      $target: $rounds rounds of $CASES inputs for each of its properties"
}

echo "${#targets[@]} targets, $seconds s each, $(nproc) at once"
failed=0
for target in "${targets[@]}"; do
  while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do
    wait -n || failed=1
  done
  fuzz "$target" &
done
while [ -n "$(jobs -p)" ]; do
  wait -n || failed=1
done
exit "$failed"
