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
    slow = {"b_sanitize": ("none",), "b_coverage": (False,), "optimization": ("2", "3", "s")}
    return any(o["value"] not in slow.get(o["name"], (o["value"],)) for o in json.loads(options.read_text()))


SANITIZED = _sanitized()  # or counted, or not optimized: slower, and larger, than what people run
SKIP = 77  # what meson shows as skipped


class Result:
    def __init__(self, code, out, err, cpu_s, rss_kib):
        self.code, self.out, self.err = code, out, err
        self.cpu_s, self.rss_kib = cpu_s, rss_kib

    @property
    def json(self):
        return json.loads(self.out)


# Linux counts what a process had before exec() to its peak of memory: for a child of this interpreter, all that the test
# holds. So a small process stands between, which tells the status, CPU seconds and peak of its one child.
_LAUNCHER = """import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, {tell})])
_, status, usage = os.wait4(child, 0)
os.write({tell}, b"%d %f %d" % (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
"""


def atls(*args, stdin=b"", timeout=60):
    """Runs atls and waits; what it used of CPU and memory is that of this one process."""
    told, tell = os.pipe()
    launcher = _LAUNCHER.format(tell=tell)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as inp:
        inp.write(stdin)
        inp.seek(0)
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", launcher, str(ATLS), *map(str, args)], stdin=inp, stdout=out,
                                 stderr=err, pass_fds=(tell,), start_new_session=True)
        os.close(tell)
        timer = threading.Timer(timeout, os.killpg, (child.pid, signal.SIGKILL))
        try:
            timer.start()
            child.wait()
        finally:
            timer.cancel()
        with os.fdopen(told) as report:
            status, cpu_s, rss_kib = (report.read() or "-9 0 0").split()
        out.seek(0)
        err.seek(0)
        return Result(int(status), out.read().decode(), err.read().decode(errors="replace"), float(cpu_s), int(rss_kib))


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
