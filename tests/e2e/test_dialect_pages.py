#!/usr/bin/env python3
"""The command lines of docs/dialects/*.md, run as they stand: against the simulator where both ends are there, and as far
as their options otherwise."""
import json
import pathlib
import re
import shlex
import sys
import tempfile

from cli import SOURCE, Report, atls
from test_connect import Backend, Server, free_port

PAGES = SOURCE / "docs" / "dialects"
report = Report()


def commands(text):
    """Those of the examples, and those inside sentences that name a peer."""
    found = [line[4:] for line in text.splitlines() if line.startswith("    atls ")]
    return found + [c.replace("\n", " ") for c in re.findall(r"`(atls [^`]*--binding[^`]*)`", text)]


class Page:
    def __init__(self, path, d):
        self.name, self.d, self.pki = path.stem, d, d / "pki"
        lines = [shlex.split(c, comments=True)[1:] for c in commands(path.read_text())]
        self.servers = [line[2:] for line in lines if line[:2] == ["proxy", "server"]]
        self.clients = [line[1:] for line in lines if line[:1] == ["connect"]]
        others = [line for line in lines if line[:1] != ["connect"] and line[:2] != ["proxy", "server"]]
        report.check(not others, f"{self.name}: commands that are there", str(others))

    def trust(self, tee=""):
        args = ["--insecure-sim-root", self.pki / "root.pem", "--collateral", self.pki]
        return args + (["--endorsement", self.pki / "endorsement-azure"] if tee == "azure" else [])

    def here(self, line, address):
        """The same with what this machine has: addresses, files, the simulator for a TEE."""
        args, words = [], iter(line)
        binding = line[line.index("--binding") + 1]
        for word in words:
            if word == "--attest":
                tee = next(words)
                args += ["--attest", "sim", "--sim", self.pki, "--tee", "tdx" if tee == "auto" else tee]
            elif word == "--policy":
                next(words)
                policy = self.d / f"{binding}.json"
                policy.write_text(json.dumps({"atls_policy": 1, "workloads": [
                    {"name": "any", "tees": ["tdx", "snp", "azure"], "bindings": [binding]}]}))
                args += ["--policy", policy]
            elif word in ("--listen", "--forward", "--collateral"):
                next(words)
            elif re.fullmatch(r"[\w.]+:(\d+|PORT|port)", word):
                args.append(address)
            elif word != "...":
                args.append(word)
        return args

    def both(self, server, client, backend):
        listening = Server(backend, *self.here(server, None))
        trust = self.trust(server[server.index("--attest") + 1])
        run = atls("connect", "--json", *self.here(client, listening.address), *trust, stdin=b"hello", timeout=30)
        report.check(run.code == 0, f"{self.name}: {' '.join(client)}", f"code {run.code}: {run.out} {run.err} {listening.log}")
        report.check("HELLO" in run.out, f"{self.name}: data behind it", run.out)
        listening.process.terminate()
        listening.process.wait()

    def check(self, backend):
        report.check(self.clients, f"{self.name} says how to connect")
        for server in self.servers:
            address = f"127.0.0.1:{free_port()}"
            run = atls("proxy", "server", "--check", "--listen", address, "--forward", address, *self.here(server, address),
                       *([] if "--attest" in server else self.trust()))
            report.check(run.code == 0, f"{self.name}: proxy server {' '.join(server)}", run.err)
        for client in self.clients:
            run = atls("connect", *self.here(client, f"127.0.0.1:{free_port()}"), *self.trust())
            report.check(run.code == 2, f"{self.name}: {' '.join(client)}, with no server", f"code {run.code}: {run.err}")
        for server, client in zip(self.servers, self.clients):
            if "--attest" in server and not {"--ca", "--cert"} & set(client):  # files of somebody's own
                self.both(server, client, backend)


def main():
    backend = Backend()
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        run = atls("sim", "pki", "--family", "snp,azure", d / "pki", timeout=120)
        report.check(run.code == 0, "sim pki", run.err)
        for path in sorted(PAGES.glob("*.md")):
            Page(path, d).check(backend)
    report.end()


if __name__ == "__main__":
    sys.exit(main())
