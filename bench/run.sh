#!/usr/bin/env bash
# usage: bench/run.sh ATLS [SECONDS]: both measurements of `atls bench` with evidence made on the spot (docs/bench.md).
set -eu
atls=$1
seconds=${2:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$atls" sim pki "$dir"
for kind in tdx sgx; do
    "$atls" sim evidence --pki "$dir" --type $kind -o "$dir/$kind.bin"
    for cache in "" --cold; do
        echo "verify $kind ${cache:-warm}"
        # shellcheck disable=SC2086
        "$atls" bench verify --seconds "$seconds" $cache --insecure-sim-root "$dir/root.pem" --collateral "$dir" "$dir/$kind.bin"
    done
done
echo "handshake, server attested"
"$atls" bench handshake --seconds "$seconds" --json
echo "handshake, both attested"
"$atls" bench handshake --seconds "$seconds" --json --mutual
