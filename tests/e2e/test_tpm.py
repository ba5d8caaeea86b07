#!/usr/bin/env python3
"""Evidence of a TPM 2.0 (a software TPM of this test's own) from the command line: made, judged, and shown by
`atls proxy server` to `atls connect`."""
import base64
import concurrent.futures
import ctypes
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import test_connect
from cli import atls, skip

report = test_connect.report
NONCE = "5a" * 32


class SwTpm:
    """In a directory of its own; it dies with this process, however that ends."""

    def __init__(self, directory):
        self.path = directory / "tpm"
        self.tcti = f"swtpm:path={self.path}"
        libc = ctypes.CDLL(None, use_errno=True)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={directory}", "--server", f"type=unixio,path={self.path}", "--ctrl",
             f"type=unixio,path={self.path}.ctrl", "--flags", "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))  # PR_SET_PDEATHSIG
        until = time.monotonic() + 10
        while not pathlib.Path(f"{self.path}.ctrl").exists() and time.monotonic() < until:
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ends(run, code, check, what):
    report.check(run.code == code and check in run.err + run.out, what, f"{run.code} {run.err} {run.out}")


def attest(tpm, *args):
    return atls("attest", "--type", "tpm", "--tcti", tpm.tcti, *args)


def made_and_judged(d, tpm):
    bundle, ak = d / "quote.json", d / "ak.tpm2b"
    run = attest(tpm, "--nonce", NONCE, "-o", bundle)
    if not report.check(run.code == 0, "a quote is made", run.err):
        return
    parts = json.loads(bundle.read_text())
    report.check(parts["type"] == "tpm" and set(parts) >= {"quote", "signature", "pcrs", "ak_public"}, "its parts", str(parts.keys()))
    ak.write_bytes(base64.b64decode(parts["ak_public"]))
    run = atls("verify", "--json", "--endorsement", ak, "--nonce", NONCE, bundle)
    report.check(run.code == 0 and run.json["accepted"] and run.json["format"] == "tpm", "judged with its key vouched for", run.out)
    claims = run.json.get("claims", {})
    report.check(claims.get("qualifying_data") == NONCE and "0" in claims.get("pcrs", {}).get("sha256", {}), "its claims", run.out)
    ends(atls("verify", "--endorsement", ak, "--nonce", "5b" * 32, bundle), 6, "binding.nonce", "another nonce")
    ends(atls("verify", "--nonce", NONCE, bundle), 4, "tpm.ak.untrusted", "a key that nobody vouches for")
    run = attest(tpm, "--nonce", NONCE, "--ak", "rsa", "--pcrs", "sha256:0,7+sha384:0-9", "-o", bundle)
    report.check(run.code == 0, "another key, other PCRs", run.err)
    ends(atls("verify", "--endorsement", ak, "--nonce", NONCE, bundle), 4, "tpm.ak.untrusted", "the other key is not vouched for")


def told_why_not(d, tpm):
    ends(attest(tpm, "--pcrs", "sha256:24"), 1, "attest.tpm.pcrs", "PCRs that are none")
    ends(attest(tpm, "--ak", "dsa"), 1, "attest.tpm.ak_name", "a key that is none")
    ends(attest(tpm, "--ak", "0x81010001"), 1, "attest.tpm.ak_missing", "a handle without a key")
    ends(attest(tpm, "--event-log", d / "none"), 2, "attest.tpm.file", "a log that is not there")
    ends(atls("attest", "--type", "tpm", "--tcti", f"swtpm:path={d}/none"), 2, "attest.tpm.tcti", "no TPM")
    ends(atls("attest", "--type", "azure", "--tcti", tpm.tcti), 2, "attest.azure.hcl", "not Azure's")
    long = d / "long"
    long.write_bytes(b"x" * 65)
    ends(attest(tpm, "--tpm-owner-auth", long), 1, "attest.tpm.auth", "an authorization value too long")
    run = attest(tpm, "--pcrs", "sha256:0-99")
    report.check("tcti" not in run.err and "ERROR" not in run.err, "tpm2-tss keeps quiet", run.err)


def shown_to_clients(d, tpm):
    backend = test_connect.Backend()
    trust = ("--endorsement", d / "ak.tpm2b")
    with test_connect.Server(backend, "--attest", "tpm", "--tcti", tpm.tcti) as server:
        run = atls("connect", *trust, server.address, stdin=b"hello\n")
        report.check(run.code == 0 and run.out == "HELLO\n", "through a connection attested by a TPM", f"{run.code} {run.out} {run.err}")
        run = atls("connect", "--brief", "--json", *trust, server.address)
        report.check(run.code == 0 and run.json["format"] == "tpm" and run.json["freshness"] == "this connection"
                     and not run.json["simulated"], "its verdict", run.out + run.err)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # one TPM, many at once
            runs = list(pool.map(lambda i: atls("connect", *trust, server.address, stdin=b"%d" % i), range(16)))
        report.check(all(r.code == 0 for r in runs), "16 clients at once", str([r.err for r in runs if r.code != 0]))
        ends(atls("connect", server.address, stdin=b"secret"), 4, "tpm.ak.untrusted", "a client that does not know the key")
        taken = backend.taken
        run = atls("connect", *trust, "--attest", "tpm", "--tcti", tpm.tcti, server.address, stdin=b"both")
        report.check(run.code == 0 and run.out == "BOTH" and backend.taken == taken + 1, "a client with a TPM too", run.err)


def main():
    if not shutil.which("swtpm"):
        skip("swtpm (package swtpm) is not installed")
    with tempfile.TemporaryDirectory() as name, SwTpm(pathlib.Path(name)) as tpm:
        d = pathlib.Path(name)
        made_and_judged(d, tpm)
        told_why_not(d, tpm)
        if (d / "ak.tpm2b").exists():
            shown_to_clients(d, tpm)
    report.end()


if __name__ == "__main__":
    main()
