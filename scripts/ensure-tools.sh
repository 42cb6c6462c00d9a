#!/usr/bin/env bash
# Makes sure that what the tests need besides Rust and Node is there: PostgreSQL's server programs, a C compiler, nginx
# with something that makes certificates, and a browser with fonts for what people write.
# Installs only what is missing, with apt-get, as root.
set -euo pipefail

say() { echo "ensure-tools: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
have_font() { have fc-list && [ -n "$(fc-list ":family=$1" family 2>/dev/null)" ]; }
# Debian keeps it out of the PATH of everybody but root.
have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }
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
have_nginx || packages+=(nginx-light)
have openssl || packages+=(openssl)
have chromium || packages+=(chromium)
have_font "Noto Sans CJK SC" || packages+=(fontconfig fonts-noto-cjk)
have_font "Noto Color Emoji" || packages+=(fontconfig fonts-noto-color-emoji)
[ ${#packages[@]} -eq 0 ] && exit 0

if ! have apt-get || [ "$(id -u)" -ne 0 ]; then
  say "missing: ${packages[*]}; install them (on Debian or Ubuntu, as root: apt-get install ${packages[*]})"
  exit 1
fi

# Debian's packages make a cluster, and start it and nginx, now and at every boot. The tests run their own; nobody asked
# for those.
no_cluster=/etc/postgresql-common/createcluster.d/nodeim-tests.conf
no_start=/usr/sbin/policy-rc.d
made=()
trap 'rm -f ${made[@]+"${made[@]}"}' EXIT
mkdir -p "$(dirname "$no_cluster")"
made+=("$no_cluster")
echo 'create_main_cluster = false' >"$no_cluster"
if [ ! -e "$no_start" ]; then
  made+=("$no_start")
  printf '#!/bin/sh\nexit 101\n' >"$no_start"
  chmod +x "$no_start"
fi

say "installing ${packages[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
if [[ " ${packages[*]} " == *" nginx-light "* ]] && have systemctl; then
  systemctl disable --quiet nginx || say "nginx will be started at the next boot: systemctl disable nginx"
fi
have cc && have_postgres && have_nginx && have openssl && have chromium && have_font "Noto Sans CJK SC" && have_font "Noto Color Emoji" || { say "still missing after the installation: ${packages[*]}"; exit 1; }
