#!/usr/bin/env python3
"""`atls collateral serve` as its clients see it: over TLS, plain HTTP on loopback and a unix socket, in front of the scripted
origin, alone and one behind another; with clients that are slow, malformed, or many."""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
from answers import make_world, of_directory, tls_certificate  # noqa: E402
from cli import ATLS, Report, atls  # noqa: E402
from origin import Origin  # noqa: E402

SGX, TDX = "/sgx/certification/v4", "/tdx/certification/v4"
FMSPC = "53494d000000"
PATHS = [f"{SGX}/tcb?fmspc={FMSPC}", f"{TDX}/tcb?fmspc={FMSPC}", f"{SGX}/qe/identity", f"{TDX}/qe/identity",
         f"{SGX}/pckcrl?ca=platform&encoding=der", f"{SGX}/rootcacrl", "/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl"]


class Serve:
    """A running server: .address is HOST:PORT or a path."""

    def __init__(self, listen, *args, command=("collateral", "serve")):
        self.log = tempfile.TemporaryFile("w+")
        self.unix = listen[5:] if listen.startswith("unix:") else None
        self.process = subprocess.Popen([ATLS, *command, "--listen", listen, *args], stderr=self.log)
        limit = time.monotonic() + 20
        while True:
            said = self.said()
            found = re.search(r"listening on (\S+)", said)
            if found:
                self.address = self.unix or found.group(1)
                return
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError("no server: " + said)
            time.sleep(0.02)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=20):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(serve, path, method="GET", ca=None, body=None):
    """Status, headers (lower case), body."""
    if serve.unix:
        c = UnixConnection(serve.unix)
    elif ca:
        c = http.client.HTTPSConnection(serve.address, context=ssl.create_default_context(cafile=ca), timeout=20)
    else:
        c = http.client.HTTPConnection(serve.address, timeout=20)
    try:
        c.request(method, path, body=body)
        r = c.getresponse()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
    finally:
        c.close()


def raw(serve, data, wait=5):
    """What comes back for these bytes; None: nothing, and the connection stays."""
    host, port = serve.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as s:
        s.settimeout(wait)
        got = b""
        try:
            s.sendall(data)
            while True:
                piece = s.recv(65536)
                if not piece:
                    return got
                got += piece
        except socket.timeout:
            return got or None
        except OSError:
            return got


class Place:
    """A world, an origin that gives it, and what every server of the test is started with."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.world = make_world(ATLS, os.path.join(tmp, "world"), families=("snp",))
        self.root = os.path.join(self.world, "root.pem")
        self.answers = of_directory(self.world)
        self.stores = 0

    def origin(self, **more):
        return Origin({"": self.answers, **more}, tls=True, work=self.tmp)

    def arguments(self, origin, store=None, **options):
        self.stores += 1
        store = store or os.path.join(self.tmp, f"store{self.stores}")
        options.setdefault("total-timeout", 5)
        options.setdefault("request-timeout", 4)
        args = ["--store", store, "--insecure-sim-root", self.root]
        for kind in ("pccs", "amd"):
            args += ["--origin", f"{kind}={origin.url}"]
        args += ["--fetch-option", f"ca={origin.ca}"] if origin.ca else []
        for name, value in options.items():
            args += ["--fetch-option", f"{name}={value}"]
        return args


def answers_are_a_pccs(r, place):
    cert, key = tls_certificate(place.tmp)
    with place.origin() as o, Serve("127.0.0.1:0", *place.arguments(o), "--tls-cert", cert, "--tls-key", key) as s:
        for path in PATHS:
            want = place.answers.find(path)
            status, headers, body = ask(s, path, ca=cert)
            r.check(status == 200 and body == want.body, "the vendor's bytes " + path, (status, body[:80]))
            for name, value in want.headers.items():
                if name.endswith("-Chain"):
                    r.check(headers.get(name.lower()) == value, "chain " + path, headers)
        r.check(o.requests() == len(PATHS), "one fetch an item", o.counts)
        for path in PATHS:
            ask(s, path, ca=cert)
        r.check(o.requests() == len(PATHS), "the second time none", o.counts)

        status, headers, body = ask(s, f"{SGX}/pckcrl?ca=platform", ca=cert)
        r.check(status == 200 and bytes.fromhex(body.decode())[:1] == b"\x30", "hex without encoding", body[:40])
        status, headers, body = ask(s, f"{SGX}/pckcrl?ca=platform&encoding=pem", ca=cert)
        r.check(body.startswith(b"-----BEGIN X509 CRL-----\n") and "BEGIN CERTIFICATE" in
                urllib.parse.unquote(headers["sgx-pck-crl-issuer-chain"]), "PEM", body[:40])
        uri = urllib.parse.quote("https://certificates.trustedservices.intel.com/IntelSGXRootCA.der", safe="")
        status, _, body = ask(s, f"{SGX}/crl?uri={uri}", ca=cert)
        r.check(status == 200 and body[:1] == b"\x30", "CRL by its distribution point", (status, body[:40]))
        vcek = [p + "?" + "&".join("=".join(x) for x in q) for p, q in place.answers.by_request
                if p.startswith("/vcek/") and q][0].replace("spl", "SPL")
        status, _, body = ask(s, vcek, ca=cert)
        r.check(status == 200 and body == place.answers.find(vcek).body, "VCEK", (status, vcek, body[:200]))
        status, headers, body = ask(
            s, f"{SGX}/pckcert?qeid={'00' * 16}&cpusvn={'ff' * 16}&pcesvn=ffff&pceid=0000", ca=cert)
        r.check(status == 200 and headers.get("sgx-fmspc") == FMSPC and len(headers.get("sgx-tcbm", "")) == 36 and
                headers.get("sgx-pck-certificate-ca-type") == "platform" and
                body == place.answers.by_path[f"{SGX}/pckcert"].body, "PCK certificate", (status, headers, body[:200]))
        try:
            ask(s, PATHS[0])
            r.check(False, "plain HTTP where TLS is spoken")
        except (OSError, http.client.HTTPException):
            r.check(True, "")


def one_behind_another(r, place):
    """Many clients, two servers, one origin: it is asked once for each item."""
    cert, key = tls_certificate(place.tmp)
    sock = os.path.join(place.tmp, "front.sock")
    with place.origin() as o:
        for path in PATHS:
            o.fault(path.split("?")[0], delay=0.3)
        with Serve("127.0.0.1:0", *place.arguments(o), "--tls-cert", cert, "--tls-key", key) as back:
            behind = type("O", (), {"url": "https://" + back.address, "ca": cert})
            with Serve("unix:" + sock, *place.arguments(behind)) as front, \
                    concurrent.futures.ThreadPoolExecutor(40) as pool:
                got = list(pool.map(lambda i: ask(front, PATHS[i % len(PATHS)]), range(160)))
                r.check(all(g[0] == 200 for g in got), "160 requests", [g[2] for g in got if g[0] != 200][:3])
                r.check(all(g[2] == place.answers.find(PATHS[i % len(PATHS)]).body for i, g in enumerate(got)),
                        "their bytes")
                r.check(o.requests() == len(PATHS), "one fetch an item reaches the origin", o.counts)
                fetched = atls("collateral", "fetch", "--store", os.path.join(place.tmp, "third"),
                               "--insecure-sim-root", place.root, "--origin", "pccs=unix:" + sock,
                               "--origin", "amd=unix:" + sock, "intel/rootcrl", "amd/crl/vcek/Milan",
                               f"intel/tcb/tdx/{FMSPC}")
                r.check(fetched.code == 0, "another atls fetches from it", fetched.err)
                r.check(o.requests() == len(PATHS), "and the origin is not asked", o.counts)
                r.check(front.end() == 0 and not os.path.exists(sock), "SIGTERM: its end, and the socket's")
            r.check(back.end() == 0, "SIGTERM over TLS")


def troubles_of_the_origin(r, place):
    expired = of_directory(make_world(ATLS, os.path.join(place.tmp, "expired"), at="2020-01-01T00:00:00Z"))
    args = None
    with place.origin(expired=expired) as o:
        args = place.arguments(o, **{"total-timeout": 1, "request-timeout": 1})
        with Serve("127.0.0.1:0", *args) as s:
            def told(what, path, want, check, **rule):
                o.clear()
                o.fault("", **rule)
                got, headers, body = ask(s, path)
                r.check(got == want and check.encode() in body, what, (got, body))
                return headers

            told("404", f"{SGX}/tcb?fmspc=000000000001", 404, "fetch.absent", times=0)
            told("500", f"{SGX}/tcb?fmspc=000000000002", 502, "fetch.server", status=500)
            told("404 of a PCK certificate", f"{SGX}/pckcert?qeid={'01' * 16}&cpusvn={'11' * 16}&pcesvn=0b00&pceid=0000",
                 461, "fetch.absent", status=404)
            headers = told("429 of AMD", "/vcek/v1/Genoa/crl", 429, "fetch.throttled", status=429, retry_after="60")
            r.check(headers.get("retry-after") == "10", "Retry-After", headers)
            told("a foreign root", f"{TDX}/qe/identity", 502, "", world="expired")
            told("torn", f"{TDX}/tcb?fmspc={FMSPC}", 502, "fetch.", truncate=40)
            o.clear()
            r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "and then it works")
            o.fault("", status=500)
            r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "what is held is given while the origin is ill")
    with Serve("127.0.0.1:0", *args) as s:
        r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "held over a restart, without an origin")
        status, _, body = ask(s, "/vcek/v1/Milan/crl")
        r.check(status == 502 and b"[fetch." in body, "no origin", (status, body))


def nobody_waits_for_others(r, place):
    with place.origin() as o, Serve("127.0.0.1:0", *place.arguments(o), "--idle", "2", "--connections", "64") as s:
        r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "held")
        o.fault("/tcb", delay=2.5)
        slow = [threading.Thread(target=ask, args=(s, f"{SGX}/tcb?fmspc=0000000000{i:02}")) for i in range(10, 30)]
        for t in slow:
            t.start()
        time.sleep(0.3)
        began = time.monotonic()
        r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200 and time.monotonic() - began < 1, "20 wait, one does not",
                time.monotonic() - began)
        for t in slow:
            t.join()
        host, port = s.address.rsplit(":", 1)
        drip = socket.create_connection((host, int(port)), 5)
        began, alive = time.monotonic(), True
        drip.settimeout(0.3)
        while alive and time.monotonic() - began < 10:
            try:
                drip.sendall(b"G" if time.monotonic() - began < 0.1 else b"E")
                alive = drip.recv(10) not in (b"",)
            except socket.timeout:
                pass
            except OSError:
                alive = False
        r.check(not alive and time.monotonic() - began < 6, "a client that drips is cut off", time.monotonic() - began)
        drip.close()
        idle = [socket.create_connection((host, int(port)), 5) for _ in range(64)]
        time.sleep(3.5)
        r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "64 that say nothing are gone after their time")
        for c in idle:
            c.close()


def one_address_leaves_room(r, place):
    with place.origin() as o, Serve("127.0.0.1:0", *place.arguments(o), "--connections", "8") as s:
        host, port = s.address.rsplit(":", 1)
        idle = [socket.create_connection((host, int(port)), 5) for _ in range(12)]
        time.sleep(0.3)
        got = b""
        try:
            with socket.create_connection((host, int(port)), 5, source_address=("127.0.0.2", 0)) as c:
                c.sendall(f"GET {SGX}/rootcacrl HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                got = c.recv(100)
        except OSError as e:
            got = repr(e).encode()
        r.check(got.startswith(b"HTTP/1.1 200"), "one address has all that it may, another is served", got)
        for c in idle:
            c.close()


def malformed_requests(r, place):
    with place.origin() as o, Serve("127.0.0.1:0", *place.arguments(o), "--idle", "2") as s:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            status, headers, _ = ask(s, f"{SGX}/rootcacrl", method, body=b"x" * 100)
            r.check(status == 405 and headers.get("allow") == "GET", method, (status, headers))
        r.check(ask(s, f"{SGX}/rootcacrl", "HEAD")[0] == 405, "HEAD")
        for path, status in ((f"{SGX}/tcb", 400), (f"{SGX}/tcb?fmspc=zz", 400), ("/", 404), ("/etc/passwd", 404),
                             (f"{SGX}/../../rootcacrl", 404), (f"{SGX}/rootcacrl%00", 404), (f"{SGX}%2frootcacrl", 404),
                             (f"{SGX}/crl?uri=http%3A%2F%2F127.0.0.1%2Fx", 400), ("/jwks", 404),
                             (f"{SGX}/tcb?fmspc=" + "0" * 3000, 400), ("/control/clear", 404)):
            got = ask(s, path)
            r.check(got[0] == status and got[1]["content-type"] == "text/plain", path[:60], got)
        for data in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n\r\n", b"\x16\x03\x01" * 50,
                     b"GET " + b"/x" * 200000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 60000 + b"\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            got = raw(s, data)
            r.check(got is not None and not got.startswith(b"HTTP/1.1 200"), "garbage", (data[:30], (got or b"")[:80]))
        hostile = b"/\xff\xc3\xed\xa0\x80\"\\" + "ü".encode() + b"\x7f,\"status\":200"
        raw(s, b"GET " + hostile + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200, "and it still serves")
        r.check(o.requests() == 1, "none of it reached the origin", o.counts)
        lines = [json.loads(line) for line in s.said().splitlines() if line.startswith("{")]
        r.check(any(line["event"] == "served" and line["status"] == 405 for line in lines), "log lines", len(lines))
        r.check(any(line.get("path") == '/\ufffd\ufffd\ufffd\ufffd\ufffd"\\ü\x7f,"status":200' and line["status"] == 404 for line in lines),
                "a hostile path is one line of valid JSON", [line for line in lines if "\ufffd" in line.get("path", "")])
        r.check(all(len(line.get("path", "")) < 310 for line in lines), "long paths are cut in the log")


def passwords(r, place):
    with place.origin() as o:
        args = [*place.arguments(o), "--origin", "pccs=https://u:sesame@127.0.0.1:1", "--fetch-option", "proxy=http://u:sesame@127.0.0.1:1",
                "--shared", "redis://:sesame@127.0.0.1:1,redis://:sesame@127.0.0.1:2"]
        with Serve("127.0.0.1:0", *args) as s:
            ask(s, f"{SGX}/rootcacrl")
            with open(f"/proc/{s.process.pid}/cmdline", "rb") as f:
                line = f.read()
            r.check(b"sesame" not in line and b"u:******@127.0.0.1" in line, "no password in the command line", line)
            r.check("sesame" not in s.said(), "nor in the log", s.said())


def how_it_is_started(r, place):
    with place.origin() as o:
        args = place.arguments(o)
        for what, more, check in (
                ("plain where others reach it", ["--listen", "0.0.0.0:0"], "serve.plain"),
                ("no address", ["--listen", "here"], "usage.address"),
                ("a certificate without key", ["--tls-cert", o.ca], "usage.option"),
                ("a key that is none", ["--tls-cert", o.ca, "--tls-key", o.ca], "serve.start"),
                ("connections", ["--connections", "0"], "usage.argument"),
                ("idle", ["--idle", "0"], "usage.argument"),
                ("an operand", ["x"], "usage.operand"),
                ("an origin that is none", ["--origin", "pccs=http://10.0.0.1"], "fetch.origin")):
            got = atls("collateral", "serve", *args, *(["--listen", "127.0.0.1:0"] if "--listen" not in more else []), *more)
            r.check(got.code in (1, 2) and f"[{check}]" in got.err, what, (got.code, got.err))
        huge = os.path.join(place.tmp, "huge.pem")
        with open(huge, "w", encoding="utf-8") as f:
            f.write("x" * 300000)
        got = atls("collateral", "serve", *args, "--tls-cert", huge, "--tls-key", huge)
        r.check(got.code == 1 and "[usage.argument]" in got.err, "a huge certificate", got.err)
        with Serve("0.0.0.0:0", *args, "--insecure-plain", "--quiet", "--only-asked") as s:
            s.address = "127.0.0.1:" + s.address.rsplit(":", 1)[1]
            r.check(ask(s, f"{SGX}/rootcacrl")[0] == 200 and '{"event"' not in s.said(), "--insecure-plain, --quiet")
            s.process.send_signal(signal.SIGINT)
            r.check(s.process.wait(20) == 0, "SIGINT")


def main():
    r = Report()
    with tempfile.TemporaryDirectory() as tmp:
        place = Place(tmp)
        for part in (answers_are_a_pccs, one_behind_another, troubles_of_the_origin, nobody_waits_for_others, one_address_leaves_room,
                     malformed_requests, passwords, how_it_is_started):
            part(r, place)
    r.end()


if __name__ == "__main__":
    main()
