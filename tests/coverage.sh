#!/usr/bin/env bash
# usage: tests/coverage.sh: builds with coverage in build-coverage, runs all tests, and fails if one of the rooms that
# look at hostile bytes or decide has less than 90 % of its lines or 80 % of its branches run.
set -eu
cd "$(dirname "$0")/.."
build=build-coverage
rooms=(src/base src/evidence/dcap src/evidence/snp src/evidence/tpm src/evidence/nitro src/evidence/cca src/evidence/token
    src/evidence/log src/attest src/policy src/binding)
if [ ! -e $build/build.ninja ]; then
    # Without the fortified string functions: their inner branches are not ours.
    meson setup $build -Db_coverage=true -Dbuildtype=debug -Doptimization=0 >/dev/null
fi
ninja -C $build >$build/ninja.log 2>&1 || { tail -40 $build/ninja.log; exit 1; }
find $build -name '*.gcda' -delete
meson test -C $build --no-rebuild --print-errorlogs --timeout-multiplier 4 >$build/test.log 2>&1 || {
    tail -60 $build/test.log
    exit 1
}

failed=0
for room in "${rooms[@]}"; do
    echo "== $room"
    # Exit status 2: too few lines, 4: too few branches, 6: both.
    gcovr --root . --object-directory $build --filter "$room/" --exclude-unreachable-branches \
        --exclude-throw-branches --fail-under-line 90 --fail-under-branch 80 --print-summary \
        --txt $build/coverage-"${room//\//-}".txt >$build/gcovr.log 2>&1 || failed=1
    grep -E '^(lines|branches)|fail|ERROR' $build/gcovr.log || { cat $build/gcovr.log; failed=1; }
done
gcovr --root . --object-directory $build --filter 'src/' --exclude-unreachable-branches --exclude-throw-branches \
    --html-details $build/coverage.html >/dev/null 2>&1 || true
echo "every line: $build/coverage.html"
exit $failed
