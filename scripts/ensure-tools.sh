#!/usr/bin/env bash
# Makes sure that what the tests need besides Rust and Node is there: PostgreSQL's server programs, a C compiler, and a
# browser with fonts for what people write.
# Installs only what is missing, with apt-get, as root.
set -euo pipefail

say() { echo "ensure-tools: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
have_font() { have fc-list && [ -n "$(fc-list ":family=$1" family 2>/dev/null)" ]; }
have_postgres() { [ -n "$("$(dirname "$0")/with-postgres.sh" --bin)" ]; }

for tool in cargo node npm; do
  have "$tool" || { say "$tool is missing: install Rust (rustup) and Node.js 20.11 or newer first"; exit 1; }
done
# `import.meta.dirname` and `--test-concurrency` came with this version.
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 11) ? 0 : 1)' ||
  { say "Node.js 20.11 or newer is needed, this is $(node --version)"; exit 1; }
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 || { say "cargo $component is missing: rustup component add rustfmt clippy"; exit 1; }
done

packages=()
have cc || packages+=(gcc libc6-dev)
have_postgres || packages+=(postgresql)
have chromium || packages+=(chromium)
have_font "Noto Sans CJK SC" || packages+=(fontconfig fonts-noto-cjk)
have_font "Noto Color Emoji" || packages+=(fontconfig fonts-noto-color-emoji)
[ ${#packages[@]} -eq 0 ] && exit 0

if ! have apt-get || [ "$(id -u)" -ne 0 ]; then
  say "missing: ${packages[*]}; install them (on Debian or Ubuntu, as root: apt-get install ${packages[*]})"
  exit 1
fi

# Debian's package makes a cluster and starts it at every boot. The tests make their own; nobody asked for that one.
quiet_install=/etc/postgresql-common/createcluster.d/nodeim-tests.conf
mkdir -p "$(dirname "$quiet_install")"
trap 'rm -f "$quiet_install"' EXIT
echo 'create_main_cluster = false' >"$quiet_install"

say "installing ${packages[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
have cc && have_postgres && have chromium && have_font "Noto Sans CJK SC" && have_font "Noto Color Emoji" || { say "still missing after the installation: ${packages[*]}"; exit 1; }
