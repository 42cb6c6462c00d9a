#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: with-postgres.sh [--durable] COMMAND [ARGUMENT...]
#
# Makes a cluster in a temporary folder, listening on 127.0.0.1 only, sets NODEIM_TEST_DATABASE_URL and the folder,
# NODEIM_TEST_POSTGRES_DATA, for the command, and stops and removes the cluster however the command ends. Tests need not
# survive a power cut, so nothing waits for the disk, unless `--durable` asks for it: then a commit is on disk when it
# returns, as in production.
# `with-postgres.sh --bin` prints the folder of the server's programs, or nothing when there is none.
set -euo pipefail

say() { echo "with-postgres: $*" >&2; }

# Debian keeps the server's programs out of the PATH; the newest installed version is taken.
find_bin() {
  local initdb
  initdb=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
  [ -n "$initdb" ] || initdb=$(readlink -f "$(command -v initdb || true)" || true)
  [ -z "$initdb" ] || dirname "$initdb"
}

bin=$(find_bin || true)
if [ "${1:-}" = --bin ]; then
  echo "$bin"
  exit 0
fi
fsync=off
if [ "${1:-}" = --durable ]; then
  fsync=on
  shift
fi
[ $# -gt 0 ] || { say "usage: $0 [--durable] COMMAND [ARGUMENT...]"; exit 2; }
[ -n "$bin" ] || { say "PostgreSQL's server programs are missing: run scripts/ensure-tools.sh"; exit 1; }

# Not in TMPDIR: that may be a place which the owner named below cannot reach.
dir=$(mktemp -d /tmp/nodeim-postgres.XXXXXX)
if [ "$fsync" = on ] && [ "$(stat -f -c %T "$dir")" = tmpfs ]; then
  say "WARNING: $dir is in memory (tmpfs): nothing there is durable"
fi
child=
started=

# PostgreSQL refuses to run as root, so root lends the folder to someone with fewer rights.
if [ "$(id -u)" -eq 0 ]; then
  owner=nobody
  id postgres >/dev/null 2>&1 && owner=postgres
  chown "$owner" "$dir"
  as_owner() { (cd "$dir" && runuser -u "$owner" -- "$@"); }
else
  as_owner() { (cd "$dir" && "$@"); }
fi

clean_up() {
  local status=$?
  trap '' INT TERM HUP
  # The command runs in a process group of its own; what is left of it goes before its database does.
  [ -z "$child" ] || kill -TERM -- "-$child" 2>/dev/null || true
  # pg_ctl takes the pid from the cluster's own folder: no other server can be meant.
  [ -z "$started" ] || as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w -s stop || true
  rm -rf "$dir"
  exit "$status"
}
trap clean_up EXIT
forward() {
  [ -z "$child" ] || { kill "-$1" -- "-$child" 2>/dev/null && wait "$child"; } || true
  exit "$2"
}
trap 'forward INT 130' INT
trap 'forward TERM 143' TERM
trap 'forward HUP 129' HUP

# Other users of this machine reach 127.0.0.1 as well, hence a password.
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$password" >"$dir/password")
[ "$(id -u)" -ne 0 ] || chown "$owner" "$dir/password"
as_owner "$bin/initdb" -D "$dir/data" -U nodeim --pwfile="$dir/password" --auth=scram-sha-256 \
  --no-locale --encoding=UTF8 >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; say "initdb failed"; exit 1; }

# Below the range from which the kernel takes ports for outgoing connections; if one is taken, another is tried.
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 12000))
  options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 -c fsync=$fsync"
  if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -o "$options" -w -s start >"$dir/start.log" 2>&1; then
    started=yes
    break
  fi
done
[ -n "$started" ] || { cat "$dir/start.log" "$dir/server.log" >&2; say "PostgreSQL did not start"; exit 1; }

export NODEIM_TEST_DATABASE_URL="postgres://nodeim:$password@127.0.0.1:$port/postgres"
export NODEIM_TEST_POSTGRES_DATA="$dir/data"
export PATH="$bin:$PATH"

# In the background, so that a signal to this script is acted upon at once and not when the command ends; and
# without a terminal to read from, which would stop it there.
set -m
"$@" </dev/null &
child=$!
set +m
status=0
wait "$child" || status=$?
child=
exit "$status"
