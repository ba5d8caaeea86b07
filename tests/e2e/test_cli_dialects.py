#!/usr/bin/env python3
"""Each dialect between two processes, `atls proxy server` and `atls connect`: one-way and mutual where the peer has it, the
lines of the verdict, another binding refused, and what a policy that does not accept it says."""
import json
import pathlib
import tempfile

from cli import Report, atls
from test_connect import Backend, Server

report = Report()

# name, evidence of the server, binding line's word in JSON, mutual
DIALECTS = (
    ("atls/1", (), "session", True),
    ("cocos", (), "session", False),
    ("atlas", ("--event-log", "dstack"), "session", False),
    ("flashbots", (), "session", True),
    ("seat-early", (), "handshake", True),
    ("constellation", (), "handshake", True),
    ("contrast", (), "handshake", True),
    ("ra-tls", (), "key", True),
    ("ra-tls-gramine", ("--tee", "sgx"), "key", True),
    ("ra-tls-sdk", ("--tee", "sgx"), "key", True),
    ("ra-tls-cmw", (), "key", True),
    ("ra-tls-dstack", ("--event-log", "dstack"), "key", True),
    ("ra-tls-flashbots", (), "key", True),
)


def one_way(name, evidence, kind, pki, trust, backend):
    with Server(backend, "--binding", name, "--attest", "sim", "--sim", pki, *evidence) as server:
        run = atls("connect", "--binding", name, *trust, "--json", server.address, stdin=b"hello")
        report.check(run.code == 0 and run.out == "HELLO", f"{name}: accepted, and data both ways", f"{run.code} {run.err[-300:]}")
        verdict = next((json.loads(line) for line in run.err.splitlines() if line.startswith("{")), {})
        report.check(verdict.get("binding") == kind, f"{name}: binding", verdict.get("binding"))
        report.check(verdict.get("freshness") == ("none" if kind == "key" else "this connection"), f"{name}: freshness",
                     verdict.get("freshness"))
        report.check(verdict.get("identity") == "none" and verdict.get("simulated") is True, f"{name}: identity and mark", verdict)
        run = atls("connect", "--binding", name, *trust, "--brief", server.address)
        line = next((line for line in run.out.splitlines() if "bound to" in line), "")
        report.check(run.code == 0 and len(line) > 20, f"{name}: the line for people", run.out)
        if kind != "session" and name != "seat-early":
            report.check("relay" in run.out, f"{name}: says what a stolen key can do", run.out)
        run = atls("connect", *(("--binding", "flashbots") if name == "atls/1" else ()), *trust, "--brief", server.address)
        report.check(run.code in (2, 5) and run.out == "", f"{name}: a client of another dialect is refused", f"{run.code} {run.err[-200:]}")
        policy = pki.parent / "other.json"
        policy.write_text(json.dumps({"atls_policy": 1, "workloads": [
            {"name": "w", "tees": ["tdx", "sgx"], "bindings": ["ra-tls-oe"]}]}))
        run = atls("connect", "--binding", name, *trust, "--policy", policy, "--json", "--brief", server.address)
        report.check(run.code == 5 and run.json.get("check") == "policy.binding", f"{name}: a policy without it", run.out[-300:])


def both_ways(name, evidence, kind, pki, trust, backend):
    attest = ("--attest", "sim", "--sim", pki, *evidence)
    with Server(backend, "--binding", name, *attest, *trust) as server:
        run = atls("connect", "--binding", name, *attest, *trust, "--json", server.address, stdin=b"hello")
        report.check(run.code == 0 and run.out == "HELLO", f"{name}: mutual", f"{run.code} {run.err[-300:]}")
        taken = backend.taken
        run = atls("connect", "--binding", name, *trust, "--json", server.address, stdin=b"hello")
        report.check(run.out == "" and backend.taken == taken, f"{name}: a client without evidence gets nothing",
                     f"{run.code} {run.out} {run.err[-200:]}")


def main():
    backend = Backend()
    with tempfile.TemporaryDirectory() as tmp:
        pki = pathlib.Path(tmp) / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "sim pki")
        trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
        for name, evidence, kind, mutual in DIALECTS:
            one_way(name, evidence, kind, pki, trust, backend)
            if mutual:
                both_ways(name, evidence, kind, pki, trust, backend)
    report.end()


if __name__ == "__main__":
    main()
