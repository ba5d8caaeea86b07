#!/usr/bin/env python3
"""The scripted origin does what its rules say: otherwise the tests that stand on it would show nothing."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
from answers import make_world, normal, of_directory, renewed_world  # noqa: E402
from cli import ATLS, Report  # noqa: E402
from origin import Origin  # noqa: E402

TCB = "/tdx/certification/v4/tcb?fmspc=53494d000000"


def get(origin, path):
    """Status, headers, body; an exception's name in place of the status where the transfer failed."""
    context = ssl.create_default_context(cafile=origin.ca) if origin.ca else None
    host = origin.url.split("/")[2]
    c = (http.client.HTTPSConnection(host, context=context, timeout=5) if context
         else http.client.HTTPConnection(host, timeout=5))
    try:
        c.request("GET", path)
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read()
    except (http.client.HTTPException, OSError) as e:
        return type(e).__name__, {}, b""
    finally:
        c.close()


def raw(origin, path, most=1 << 20):
    host, port = origin.url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), 5) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while len(data) < most:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
        return data


def answers_are_those_of_the_world(r, tmp, worlds):
    with Origin(worlds, tls=True, work=tmp) as o:
        status, headers, body = get(o, TCB)
        r.check(status == 200 and json.loads(body)["tcbInfo"]["id"] == "TDX", "TCB info", status)
        r.check("%20CERTIFICATE" in headers.get("TCB-Info-Issuer-Chain", ""), "chain", headers)
        for path in ("/sgx/certification/v4/qe/identity?update=standard", "/sgx/certification/v4/rootcacrl",
                     "/sgx/certification/v4/pckcrl?encoding=der&ca=platform", "/IntelSGXRootCA.der",
                     "/sgx/certification/v4/pckcert?qeid=00", "/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl",
                     "/jwks", TCB.upper().replace("/TDX/CERTIFICATION/V4/TCB?FMSPC", "/tdx/certification/v4/tcb?fmspc")):
            r.check(get(o, path)[0] == 200, path)
        vcek = [p + "?" + "&".join("=".join(x) for x in q) for p, q in worlds[""].by_request if p.startswith("/vcek/") and q]
        r.check(len(vcek) == 1 and get(o, vcek[0])[2][:1] == b"\x30", "VCEK", vcek)
        r.check(get(o, "/nothing")[0] == 404, "404")
        r.check(o.requests() == 12 and o.requests("/tcb") == 2, "counts", o.counts)
        o.choose("other")
        r.check(get(o, TCB)[2] != body, "another world")
    r.check(normal("/a?b=1&a=02&update=standard") == normal("/a?a=02&b=1"), "order of a query")
    r.check(normal("/vcek/v1/Milan/x?blSPL=07") == normal("/vcek/v1/Milan/x?blSPL=7"), "leading zeros")


def channels_and_renewed_worlds(r, tmp, good):
    newer = renewed_world(ATLS, good, os.path.join(tmp, "newer"), 18)
    answers = of_directory(good).add_intel(newer, "update=early").add_intel(newer, "tcbEvaluationDataNumber=18")
    number = {}
    for query in ("", "&update=early", "&tcbEvaluationDataNumber=18", "&update=standard"):
        number[query] = json.loads(answers.find(TCB + query).body)["tcbInfo"]["tcbEvaluationDataNumber"]
    r.check(list(number.values()) == [17, 18, 18, 17], "channels", number)
    r.check(answers.find(TCB + "&tcbEvaluationDataNumber=19") is None, "a number that is not there")


def faults_are_as_told(r, worlds):
    with Origin(worlds) as o:
        good, other = get(o, TCB)[2], worlds["other"].find(TCB).body

        def told(what, want, **rule):
            o.clear()
            o.fault("/tcb", **rule)
            got = get(o, TCB)
            r.check(want(*got), what, (got[0], got[1], len(got[2])))

        told("status", lambda s, h, b: s == 429 and h["Retry-After"] == "3", status=429, retry_after="3")
        told("redirect", lambda s, h, b: s == 302 and h["Location"] == "http://x/", redirect="http://x/")
        told("drop before", lambda s, h, b: s == "RemoteDisconnected", drop="before")
        told("drop head", lambda s, h, b: s != 200 or "Connection" not in h, drop="head")
        told("drop amid", lambda s, h, b: s == "IncompleteRead", drop="amid")
        told("truncate", lambda s, h, b: s == "IncompleteRead", truncate=10)
        told("longer", lambda s, h, b: s == "IncompleteRead", length="longer")
        told("shorter", lambda s, h, b: s == 200 and len(b) < len(good), length="shorter")
        told("absent", lambda s, h, b: b == good and "Content-Length" not in h, length="absent")
        told("chunked", lambda s, h, b: b == good and h["Transfer-Encoding"] == "chunked", length="chunked")
        told("chunked, cut", lambda s, h, b: s == "IncompleteRead", length="chunked-cut")
        told("chunked, garbage", lambda s, h, b: s == "IncompleteRead", length="chunked-garbage")
        told("type", lambda s, h, b: h["Content-Type"] == "text/html" and b == good, type="text/html")
        told("no chain", lambda s, h, b: "TCB-Info-Issuer-Chain" not in h, headers={"tcb-info-issuer-chain": None})
        told("garbage status", lambda s, h, b: s == "BadStatusLine", garbage="status")
        told("large headers", lambda s, h, b: s == "LineTooLong", garbage="large")
        told("body", lambda s, h, b: b == b"{}", body="{}")
        told("switch", lambda s, h, b: b != good and b[:100] == good[:100] and b[-100:] == other[-100:], switch="other")
        told("world", lambda s, h, b: b == other, world="other")
        told("not this path", lambda s, h, b: b == good, match_nothing=1, times=0, status=500)

        o.clear()
        o.fault("/tcb", status=500, times=2)
        r.check([get(o, TCB)[0] for _ in range(3)] == [500, 500, 200], "times")
        o.clear()
        o.fault("", delay=0.3)
        began = time.monotonic()
        get(o, TCB)
        r.check(time.monotonic() - began >= 0.3, "delay")
        o.clear()
        o.fault("", trickle=0.02)
        began = time.monotonic()
        r.check(get(o, TCB)[2] == good and time.monotonic() - began >= 0.3, "trickle")
        o.clear()
        o.fault("", endless=True)
        r.check(len(raw(o, TCB)) >= 1 << 20, "endless")
        o.clear()
        o.fault("", garbage="headers")
        r.check(b"this line has no colon" in raw(o, TCB), "garbage headers")


def as_a_program(r, tmp, good, other):
    control, log = os.path.join(tmp, "control.json"), os.path.join(tmp, "log")
    sock = os.path.join(tmp, "origin.sock")
    p = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "origin.py"), "--world", f"={good}", "--world", f"other={other}",
         "--control", control, "--log", log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        started = json.loads(p.stdout.readline())
        o = type("O", (), {"url": started["url"], "ca": started["ca"]})
        body = get(o, TCB)[2]
        with open(control, "w", encoding="utf-8") as f:
            json.dump({"world": "other", "faults": [{"match": "/qe/", "status": 503}]}, f)
        r.check(get(o, TCB)[2] not in (body, b""), "world by file")
        r.check(get(o, "/sgx/certification/v4/qe/identity")[0] == 503, "fault by file")
        with open(log, encoding="utf-8") as f:
            r.check(f.read().splitlines() == [TCB, TCB, "/sgx/certification/v4/qe/identity"], "log")
        r.check(json.loads(get(o, "/control/requests")[2])["total"] == 3, "counts by URL")
    finally:
        p.stdin.close()
        r.check(p.wait(10) == 0, "the end of its input ends it")
    with Origin({"": of_directory(good)}, listen="unix:" + sock) as o:
        s = socket.socket(socket.AF_UNIX)
        s.connect(sock)
        s.sendall(f"GET {TCB} HTTP/1.1\r\n\r\n".encode())
        r.check(s.recv(100).startswith(b"HTTP/1.1 200"), "unix socket", o.url)
        s.close()
    r.check(not os.path.exists(sock), "the socket is taken away")


def main():
    r = Report()
    with tempfile.TemporaryDirectory() as tmp:
        good, other = os.path.join(tmp, "good"), os.path.join(tmp, "other")
        make_world(ATLS, good, families=("snp", "jwt"))
        make_world(ATLS, other)
        worlds = {"": of_directory(good), "other": of_directory(other)}
        answers_are_those_of_the_world(r, tmp, worlds)
        channels_and_renewed_worlds(r, tmp, good)
        faults_are_as_told(r, worlds)
        as_a_program(r, tmp, good, other)
    r.end()


if __name__ == "__main__":
    main()
