"""Running build/atls from the end-to-end tests."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

SOURCE = pathlib.Path(os.environ.get("ATLS_SOURCE_ROOT", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("ATLS_BUILD_ROOT", SOURCE / "build"))
ATLS = BUILD / "atls"
VECTORS = pathlib.Path(os.environ.get("ATLS_VECTORS", SOURCE.parent / "shared" / "vectors"))
def _sanitized():
    options = BUILD / "meson-info" / "intro-buildoptions.json"
    if not options.is_file():
        return False
    return any(o["name"] == "b_sanitize" and o["value"] != "none" for o in json.loads(options.read_text()))


SANITIZED = _sanitized()  # slower, and larger
SKIP = 77  # what meson shows as skipped


class Result:
    def __init__(self, code, out, err, cpu_s, rss_kib):
        self.code, self.out, self.err = code, out, err
        self.cpu_s, self.rss_kib = cpu_s, rss_kib

    @property
    def json(self):
        return json.loads(self.out)


def atls(*args, stdin=b"", timeout=60):
    """Runs atls and waits; what it used of CPU and memory is that of this one process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as inp:
        inp.write(stdin)
        inp.seek(0)
        child = subprocess.Popen([str(ATLS), *map(str, args)], stdin=inp, stdout=out, stderr=err)
        try:
            timer = threading.Timer(timeout, child.send_signal, (signal.SIGKILL,))
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
        out.seek(0)
        err.seek(0)
        return Result(child.returncode, out.read().decode(), err.read().decode(errors="replace"),
                      usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


class Report:
    """Collects what went wrong, so that one run tells everything."""

    def __init__(self):
        self.good = 0
        self.bad = []

    def check(self, condition, what, detail=""):
        if condition:
            self.good += 1
        else:
            self.bad.append(f"{what}: {detail}" if detail else what)
        return condition

    def end(self):
        for line in self.bad:
            print("FAIL", line)
        print(f"{self.good} checks good, {len(self.bad)} bad")
        sys.exit(1 if self.bad or self.good == 0 else 0)


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(SKIP)
