#!/usr/bin/env python3
"""`--fetch` in the program, against the scripted origin: a platform that is met for the first time, an origin that goes away, a fleet
that shares what one of its hosts has fetched through redis-server, and TCB recovery seen early."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from cli import Report, atls  # noqa: E402
from answers import of_directory  # noqa: E402
from origin import Origin  # noqa: E402
from test_connect import Backend, Server  # noqa: E402

report = Report()


class Redis:
    def __init__(self, d):
        self.socket = d / "redis.sock"
        self.url = f"redis+unix:{self.socket}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
                                         "--logfile", "/dev/null", "--dir", self.socket.parent])
        for _ in range(500):
            if self.socket.exists() and subprocess.run(["redis-cli", "-s", self.socket, "ping"], capture_output=True).stdout == b"PONG\n":
                return
            time.sleep(0.01)
        raise RuntimeError("redis-server does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def keys_of(store, root):
    run = atls("collateral", "show", "--store", store, *root, "--json")
    return sorted(i["key"] for i in json.loads(run.out)["items"]) if run.code in (0, 3) else [run.err]


def first_meeting(d, pki, root, quote):
    with Origin({"": of_directory(pki)}, tls=True) as origin:
        to = ("--origin", f"intel={origin.url}", "--fetch-option", f"ca={origin.ca}")
        store = d / "met"
        run = atls("verify", *root, "--collateral", store, *to, "--json", quote)
        report.check(run.code == 0 and json.loads(run.out)["accepted"], "verify of a platform never met", run.out + run.err)
        asked = origin.requests()
        report.check(asked == 4, "one request an item", asked)
        report.check(len(keys_of(store, root)) == 4, "what the store has then", keys_of(store, root))
        run = atls("verify", *root, "--collateral", store, *to, "--json", quote)
        report.check(run.code == 0 and origin.requests() == asked, "met again: nobody is asked", run.err)

        run = atls("collateral", "fetch", "--store", store, *root, *to, "--json")
        told = json.loads(run.out)
        report.check(run.code == 0 and len(told["items"]) == 4 and told["requests"] == 4 and all(i["code"] == 0 for i in told["items"]),
                     "fetch: all anew", run.out + run.err)
        run = atls("collateral", "fetch", "--store", d / "named", *root, *to, quote)
        report.check(run.code == 0 and run.out.count("fetched ") == 4, "fetch: what evidence needs", run.out + run.err)

        backend = Backend()
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx") as server:
            for turn in ("first", "second"):
                before = origin.requests()
                run = atls("connect", *root, "--collateral", d / "connected", *to, server.address, stdin=b"hello\n")
                report.check(run.code == 0 and run.out == "HELLO\n", f"connect, {turn}", f"{run.code} {run.err}")
                report.check(origin.requests() - before == (4 if turn == "first" else 0), f"requests of the {turn} connection")

        # A server that is told where collateral comes from, or whom to trust, asks its clients: none gets in without evidence.
        for option in (to, ("--root", f"intel:{pki / 'root.pem'}"), ("--endorsement", pki / "root.pem")):
            with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx", *option) as server:
                run = atls("connect", *root, "--collateral", pki, server.address, stdin=b"hello\n")
                report.check(run.code == 5 and run.out == "", f"a server with {option[0]} alone asks its clients", f"{run.code} {run.out} {run.err}")

        origin.fault("/tcb", status=404)
        run = atls("verify", *root, "--collateral", d / "unknown", *to, "--json", quote)
        report.check(run.code == 3 and not json.loads(run.out)["accepted"] and "fetch.absent" in run.err, "the origin has none", run.out + run.err)
    run = atls("verify", *root, "--collateral", d / "away", *to, "--fetch-option", "total-timeout=2", "--json", quote)
    report.check(run.code == 3 and "fetch.connect" in run.err and json.loads(run.out)["check"].endswith("missing"), "the origin is away", run.out + run.err)
    run = atls("verify", *root, "--collateral", store, *to, "--json", quote)
    report.check(run.code == 0, "away, and all is at hand", run.out + run.err)


def only_named(d, pki, root):
    """Quotes without a PCK certificate: it is fetched, and then what follows from it."""
    with Origin({"": of_directory(pki)}, tls=True) as origin:
        to = ("--origin", f"pccs={origin.url}", "--fetch-option", f"ca={origin.ca}")
        for kind in ("1", "2", "3"):
            named = d / f"type-{kind}"
            run = atls("sim", "evidence", "--pki", pki, "--tee", "tdx", "--fault", f"quote.type_{kind}", "-o", named)
            report.check(run.code == 0, f"a quote of certification type {kind}", run.err)
            store = d / f"named-{kind}"
            before = origin.requests()
            run = atls("verify", *root, "--collateral", store, *to, "--json", named)
            report.check(run.code == 0 and json.loads(run.out)["accepted"], f"type {kind}, never met", run.out + run.err)
            report.check(origin.requests() - before == 5, f"requests of type {kind}", origin.requests() - before)
            run = atls("verify", *root, "--collateral", store, "--json", named)
            report.check(run.code == 0, f"type {kind}, from the store", run.out + run.err)
        run = atls("collateral", "fetch", "--store", d / "named-too", *root, *to, named)
        report.check(run.code == 0 and run.out.count("fetched ") == 5, "fetch: what a named platform needs", run.out + run.err)
        backend = Backend()
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx", "--fault", "quote.type_3") as server:
            run = atls("connect", *root, "--collateral", d / "connected-named", *to, server.address, stdin=b"hello\n")
            report.check(run.code == 0 and run.out == "HELLO\n", "connect to a platform that is only named", f"{run.code} {run.err}")


def fleet(d, pki, root, quote):
    redis = Redis(d)
    redis.start()
    try:
        with Origin({"": of_directory(pki)}, tls=True) as origin:
            to = ("--origin", f"intel={origin.url}", "--fetch-option", f"ca={origin.ca}", "--fetch-option", "total-timeout=5", "--shared", redis.url)
            run = atls("verify", *root, "--collateral", d / "host-a", *to, quote)
            report.check(run.code == 0 and origin.requests() == 4, "one host of a fleet fetches", run.err)
        began = time.monotonic()
        run = atls("verify", *root, "--collateral", d / "host-b", *to, "--json", quote)
        report.check(run.code == 0 and json.loads(run.out)["accepted"], "another verifies what it never saw, with no origin there", run.out + run.err)
        shown = json.loads(atls("collateral", "show", "--store", d / "host-b", *root, "--json").out)["items"]
        report.check(len(shown) == 4 and all(i["source"] == "shared" for i in shown), "and says where it has it from", shown)
        report.check(time.monotonic() - began < 4, "at once", time.monotonic() - began)
        redis.kill()
        run = atls("verify", *root, "--collateral", d / "host-b", *to, "--json", quote)
        report.check(run.code == 0, "Redis away: the local level goes on", run.err)
        run = atls("verify", *root, "--collateral", d / "host-c", *to, "--json", quote)
        report.check(run.code == 3, "Redis and origin away: a host that has nothing says so", run.out + run.err)
        with Origin({"": of_directory(pki)}, tls=True) as origin:
            to = ("--origin", f"intel={origin.url}", "--fetch-option", f"ca={origin.ca}", "--shared", redis.url)
            run = atls("verify", *root, "--collateral", d / "host-c", *to, quote)
            report.check(run.code == 0 and origin.requests() == 4, "Redis away: the origin is asked", run.err)
    finally:
        redis.kill()


def main():
    if shutil.which("redis-server") is None:
        report.check(False, "redis-server is not here")
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        os.environ["ATLS_STORE"] = str(d / "own")
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "atls sim pki")
        root = ("--insecure-sim-root", pki / "root.pem")
        quote = d / "quote"
        report.check(atls("sim", "evidence", "--pki", pki, "--tee", "tdx", "-o", quote).code == 0, "atls sim evidence")
        first_meeting(d, pki, root, quote)
        only_named(d, pki, root)
        fleet(d, pki, root, quote)
    report.end()


if __name__ == "__main__":
    main()
