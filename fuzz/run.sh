#!/usr/bin/env bash
# usage: fuzz/run.sh [SECONDS [NAME...]]: builds every libFuzzer target with ASan and UBSan and runs each for
# SECONDS (60) on its seeds. New inputs go to build-fuzz/corpus, findings to build-fuzz/findings; the tree stays clean.
# The last line is "fuzz: N targets clean"; any finding makes it fail.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
build=build-fuzz
if [ ! -e $build/build.ninja ]; then
    CC=clang meson setup $build -Dfuzzing=true -Dtests=false -Db_sanitize=address,undefined \
        -Db_lundef=false -Dbuildtype=debugoptimized -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
fi
ninja -C "$build" >$build/fuzz-build.log 2>&1 || { tail -40 $build/fuzz-build.log; exit 1; }

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for target in $build/fuzz/fuzz_*; do
        [ -f "$target" ] && [ -x "$target" ] && names+=("${target##*/fuzz_}")
    done
fi
[ ${#names[@]} -gt 0 ] || { echo "fuzz: no targets"; exit 1; }

mkdir -p $build/findings
failed=0
for name in "${names[@]}"; do
    mkdir -p "$build/corpus/$name"
    seeds=()
    [ ! -d "fuzz/corpus/$name" ] || seeds=("fuzz/corpus/$name")
    log=$build/findings/$name.log
    if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$build/fuzz/fuzz_$name" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "${seeds[@]}" >"$log" 2>&1; then
        echo "ok    $name: $(awk '/number_of_executed_units/ { print $2 }' "$log") runs in $seconds s"
    else
        echo "FAIL  $name: see $log"
        tail -20 "$log"
        failed=1
    fi
done
[ $failed -eq 0 ] || exit 1
echo "fuzz: ${#names[@]} targets clean"
