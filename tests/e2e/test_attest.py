#!/usr/bin/env python3
"""`atls attest` on a machine without a TEE: what is tried and why it fails; and with doubles of Gramine's files and of
dstack's agent, whose quotes are a simulated platform's: an attested connection with evidence that came the ordinary way."""
import http.server
import json
import pathlib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

from cli import ATLS, Report, atls

report = Report()
SOURCES = ["gramine", "nsm", "dstack", "tsm", "tdx-guest", "sev-guest", "azure", "tpm"]


class Agent(http.server.BaseHTTPRequestHandler):
    """dstack's: GetQuote over a unix socket."""
    protocol_version = "HTTP/1.1"
    pki = None
    asked = 0
    slow = 0  # seconds for the next request
    begun = threading.Event()

    def do_POST(self):
        Agent.asked += 1
        wait, Agent.slow = Agent.slow, 0
        if wait:
            Agent.begun.set()
            time.sleep(wait)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        quote = subprocess.run([str(ATLS), "attest", "--type", "sim", "--sim", str(self.pki), "--report-data",
                                body["report_data"]], capture_output=True, check=True).stdout
        found = self.path == "/GetQuote"
        reply = json.dumps({"quote": quote.hex(), "event_log": "", "vm_config": "{}"} if found else {"error": "no"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass

    def address_string(self):
        return "unix"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def nothing_here(d):
    nowhere = ["--gramine-dir", d / "no", "--nsm-device", d / "no", "--dstack-socket", d / "no", "--tsm-dir", d / "no",
               "--tdx-device", d / "no", "--sev-device", d / "no", "--tcti", f"device:{d / 'no'}"]
    run = atls("attest", "--probe", "--json", *nowhere)
    rows = run.json["sources"]
    report.check(run.code == 0 and [r["source"] for r in rows] == SOURCES, "all sources in their order", run.out)
    report.check(all(r["type"] is None and r["absent"] and r["check"].startswith("attest.") and r["message"] for r in rows),
                 "each says why not", run.out)
    run = atls("attest", "--probe", *nowhere)
    report.check(run.code == 0 and len(run.out.splitlines()) == len(SOURCES) and "older than 6.7" in run.out, "for people", run.out)
    run = atls("attest", "--report-data", "00", *nowhere)
    report.check(run.code == 2 and "[attest.none]" in run.err and "older than 6.7" in run.err and not run.out, "auto", run.err)
    for args, code, check in (
            (("--type", "tdx", "--source", "dstack"), 2, "attest.dstack.socket"),
            (("--type", "snp", "--source", "tsm"), 2, "attest.tsm.mkdir"),
            (("--type", "nitro"), 2, "attest.nsm.device"),
            (("--type", "sgx"), 2, "attest.gramine.type"),
            (("--type", "sgx", "--source", "tsm"), 1, "attest.source"),
            (("--source", "tms"), 1, "attest.source"),
            (("--type", "snp", "--vmpl", "4"), 1, "attest.option"),
            (("--type", "tdx", "--attest-timeout", "0"), 1, "usage.argument"),
    ):
        run = atls("attest", *nowhere, *args, "--report-data", "00")
        report.check(run.code == code and f"[{check}]" in run.err and not run.out, f"attest {' '.join(args)}", run.err)
    run = atls("connect", "--attest", "nitro", *nowhere, "--insecure-sim-root", d / "pki" / "root.pem", "127.0.0.1:1")
    report.check(run.code == 2 and "[attest.nsm.device]" in run.err, "connect --attest nitro", run.err)


def gramine(d, pki):
    files = d / "attestation"
    files.mkdir()
    (files / "attestation_type").write_text("dcap\n")
    (files / "user_report_data").write_bytes(b"")
    quote = atls_bytes("attest", "--type", "sim", "--sim", pki, "--tee", "sgx", "--report-data", "aa" * 64)
    (files / "quote").write_bytes(quote)
    out = d / "quote.bin"
    run = atls("attest", "--type", "sgx", "--gramine-dir", files, "--report-data", "aa" * 64, "-o", out)
    report.check(run.code == 0 and out.read_bytes() == quote, "Gramine's quote comes out bare", run.err)
    report.check((files / "user_report_data").read_bytes() == b"\xaa" * 64, "what was written")
    run = atls("verify", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "--report-data", "aa" * 64, out)
    report.check(run.code == 0, "and is judged good", run.err)
    run = atls("attest", "--type", "sgx", "--gramine-dir", files, "--report-data", "bb", "--attest-timeout", "1")
    report.check(run.code == 2 and "[attest.gramine.raced]" in run.err, "a quote over other data", run.err)


def atls_bytes(*args):
    return subprocess.run([str(ATLS), *map(str, args)], capture_output=True, check=True).stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dstack(d, pki):
    Agent.pki = pki
    path = d / "dstack.sock"
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    with UnixServer(str(path), Agent) as agent:
        threading.Thread(target=agent.serve_forever, daemon=True).start()
        out = d / "bundle.json"
        run = atls("attest", "--source", "dstack", "--dstack-socket", path, "--report-data", "01", "--bundle", "-o", out)
        report.check(run.code == 0 and json.loads(out.read_text())["type"] == "tdx", "a bundle from dstack's agent", run.err)
        run = atls("verify", *trust, "--report-data", "01", out)
        report.check(run.code == 0, "and is judged good", run.err)
        connection(path, trust)
        agent.shutdown()


def connection(path, trust):
    """A server whose evidence comes from the agent, for each connection anew."""
    with socket.create_server(("127.0.0.1", 0)) as backend:
        address = f"127.0.0.1:{free_port()}"
        server = subprocess.Popen([str(ATLS), "proxy", "server", "--listen", address, "--forward",
                                   f"127.0.0.1:{backend.getsockname()[1]}", "--attest", "tdx", "--source", "dstack",
                                   "--dstack-socket", str(path)], stderr=subprocess.PIPE, text=True)
        try:
            report.check("listening" in server.stderr.readline(), "proxy server starts")
            before = Agent.asked
            for i in range(2):
                run = atls("connect", *trust, "--brief", address)
                report.check(run.code == 0, f"connection {i} with evidence of the agent", run.err)
            report.check(Agent.asked >= before + 2, "evidence is made for each connection", Agent.asked - before)
            a_slow_quote(address, trust)
        finally:
            server.kill()
            server.wait()
            server.stderr.close()


def a_slow_quote(address, trust):
    """A quote that takes long keeps its own connection waiting, and no other."""
    Agent.slow = 5
    ended = []
    slow = threading.Thread(target=lambda: ended.append((atls("connect", *trust, "--brief", address), time.monotonic())))
    slow.start()
    report.check(Agent.begun.wait(10), "the slow quote is asked for")
    run = atls("connect", *trust, "--brief", address)
    other = time.monotonic()
    slow.join()
    report.check(run.code == 0 and ended[0][0].code == 0 and other < ended[0][1], "another connection meanwhile",
                 run.err + ended[0][0].err)


def main():
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "a simulated platform")
        nothing_here(d)
        gramine(d, pki)
        dstack(d, pki)
    report.end()


main()
