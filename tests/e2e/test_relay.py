#!/usr/bin/env python3
"""Whoever takes the data may stall; the session may not: `atls connect` and `atls proxy server` between peers that ask for
evidence every second, in front of consumers that do not read."""
import hashlib
import json
import os
import pathlib
import pty
import select
import socket
import subprocess
import tempfile
import threading
import time

from cli import ATLS, Report, atls
from test_connect import Server

report = Report()
AGE_S = 6  # a verdict's age limit
STALL_S = 13  # how long a consumer that wakes up has slept: more than two verdicts
SMALL = bytes(i * 7 % 251 for i in range(100_000))  # what a pipe and the relay hold together
DEADLINE = ("session.expired", "session.deadline")


class Backend:
    """A plain server: sends data, or without end if that is None, and reads nothing until told to."""

    def __init__(self, data):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.data = data
        self.read = threading.Event()
        self.got = None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        peer, _ = self.socket.accept()
        with peer:
            try:
                while self.data is None:
                    peer.sendall(bytes(65536))
                peer.sendall(self.data)
                self.read.wait()
                got = bytearray()
                while chunk := peer.recv(65536):
                    got += chunk
                self.got = bytes(got)
            except OSError:
                self.got = b"lost"


def policy(path, *, age=AGE_S, again=1):
    registers = {name: [hashlib.sha384(f"demo/{name}".encode()).hexdigest()] for name in ("mrtd", "rtmr0")}
    path.write_text(json.dumps({"atls_policy": 1, "workloads": [{
        "name": "demo", "tees": ["tdx"], "tdx": registers, "bindings": ["atls/1"],
        **({"max_evidence_age_s": age} if age else {}), **({"reattest_s": again} if again else {})}]}))
    return path


def connect(args, server, **io):
    return subprocess.Popen([str(ATLS), "connect", *map(str, args), server.address], stderr=subprocess.PIPE, **io)


def drained(fd):
    """What lies in a pipe or terminal whose writer has gone."""
    got = 0
    while select.select([fd], [], [], 0.2)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:  # a terminal without its other end
            break
        if not chunk:
            break
        got += len(chunk)
    return got


def ends_by_itself(name, child, started, latest):
    try:
        code = child.wait(latest + 5)
    except subprocess.TimeoutExpired:
        child.kill()
        report.check(False, f"{name}: ends", "it went on")
        return
    took = time.monotonic() - started
    said = child.stderr.read().decode()
    report.check(code in (2, 6) and any(d in said for d in DEADLINE), f"{name}: how it ends", f"{code} {said[-300:]}")
    report.check(took < latest, f"{name}: when it ends", f"{took:.1f} s")


def output_never_read(pki, trust, p):
    """More data than anybody holds: new evidence cannot come past it, and the session ends with its verdict."""
    backend = Backend(None)
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        started = time.monotonic()
        child = connect((*trust, "--policy", p), server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ends_by_itself("a pipe", child, started, AGE_S + 2)
        report.check(0 < drained(child.stdout.fileno()) <= 65536, "a pipe: no more than it holds")
    backend = Backend(None)
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        ours, theirs = pty.openpty()
        started = time.monotonic()
        child = connect((*trust, "--policy", p), server, stdin=subprocess.PIPE, stdout=theirs)
        os.close(theirs)
        ends_by_itself("a terminal", child, started, AGE_S + 2)
        report.check(drained(ours) > 0, "a terminal: something had come")
        os.close(ours)
    backend = Backend(None)
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        started = time.monotonic()
        child = connect((*trust, "--policy", policy(p.with_name("again.json"), age=0), "--timeout", "2"), server,
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ends_by_itself("no answer in time", child, started, 1 + 2 + 2)


def output_read_late(pki, trust, p):
    """Data that the relay holds: the session lives on past many deadlines, and nothing is lost."""
    backend = Backend(SMALL)
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        child = connect((*trust, "--policy", p), server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(STALL_S)
        report.check(child.poll() is None, "read late: still there", child.poll())
        backend.read.set()
        out, said = child.communicate(b"late", timeout=30)
        report.check(child.returncode == 0 and out == SMALL, "read late: whole",
                     f"{child.returncode} {len(out)} {said.decode()[-300:]}")
        report.check(backend.got == b"late", "read late: the other direction", backend.got)


def backend_never_reads(pki, trust, p):
    """The same on the server's side, which asks the client."""
    shows = ("--attest", "sim", "--sim", pki)
    backend = Backend(b"")
    with Server(backend, *shows, *trust, "--policy", p) as server:
        started = time.monotonic()
        child = connect((*trust, *shows), server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def pour():
            try:
                while True:
                    child.stdin.write(bytes(65536))
            except OSError:
                pass

        threading.Thread(target=pour, daemon=True).start()
        ended = any(server.logged(d, AGE_S + 3) for d in DEADLINE)
        took = time.monotonic() - started
        report.check(ended and took < AGE_S + 3, "a backend that never reads", f"{took:.1f} s {server.log}")
        child.kill()
        child.wait()
        backend.read.set()
    backend = Backend(b"")
    with Server(backend, *shows, *trust, "--policy", p) as server:
        child = connect((*trust, *shows), server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdin.write(SMALL)
        child.stdin.flush()
        time.sleep(STALL_S)
        report.check(child.poll() is None, "a backend that reads late: still there", child.poll())
        backend.read.set()
        _, said = child.communicate(timeout=30)
        report.check(child.returncode == 0 and backend.got == SMALL, "a backend that reads late: whole",
                     f"{child.returncode} {said.decode()[-300:]} {server.log}")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "sim pki")
        trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
        p = policy(d / "policy.json")
        parts = [threading.Thread(target=part, args=(pki, trust, p))
                 for part in (output_never_read, output_read_late, backend_never_reads)]
        for part in parts:
            part.start()
        for part in parts:
            part.join()
    report.end()


if __name__ == "__main__":
    main()
