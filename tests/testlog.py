#!/usr/bin/env python3
"""usage: testlog.py BUILD: what meson wrote of its last test run there, as "N good, N bad, N skipped", with the reason of
each skipped test. Exit status 1 if no test ran."""
import json
import pathlib
import sys


def main():
    good = bad = skipped = 0
    log = pathlib.Path(sys.argv[1]) / "meson-logs" / "testlog.json"
    for line in log.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            good += 1
        elif test["result"] == "SKIP":
            skipped += 1
            said = (test.get("stdout") or "").strip().splitlines()
            reasons = [text for text in said if "skip" in text.lower()] or said[-1:] or ["no reason given"]
            print(f"skipped {test['name']}: {reasons[0]}")
        else:
            bad += 1
    print(f"{good} good, {bad} bad, {skipped} skipped")
    return 0 if good + bad > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
