#!/usr/bin/env bash
# usage: install-packages.sh GROUP...: installs the Debian packages of these groups that are missing.
# Needs root or sudo only when something is missing. ATLS_NO_INSTALL=1: only says what is missing.
set -eu
list=$(dirname "$0")/apt-packages.txt
missing=()
for group in "$@"; do
    while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done < <(awk -v g="$group" '$1 == g { print $2 }' "$list")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-packages: not a Debian system; needed are: ${missing[*]}" >&2
    exit 1
fi
if [ "${ATLS_NO_INSTALL:-0}" = 1 ]; then
    echo "install-packages: missing: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-packages: neither root nor sudo; please run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
