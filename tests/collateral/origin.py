#!/usr/bin/env python3
"""A scripted origin: an HTTP(S) server on loopback that gives collateral, and goes wrong when it is told to.

In a Python test:

    with Origin({"": of_directory(dir)}, tls=True) as o:
        o.fault("/tcb", status=429, retry_after=3, times=2)
        ... o.url, o.ca, o.requests("/tcb") ...

As a program, for tests in C: `origin.py --world =DIR [--world NAME=DIR]... [--tls] [--listen unix:PATH] [--work DIR]` writes
one line of JSON (url, ca) and ends with its standard input. It is told what to do by POST to its own URL:

    /control/fault     {"match":"/tcb","status":429,...}: one more rule; the last that fits is followed
    /control/clear     no rules, no counts
    /control/world     {"world":"NAME"}: gives that world's answers from now on
    GET /control/requests   {"total":N,"paths":{"/sgx/...":N}} without those of /control

or by a file (--control FILE: {"world":"...","faults":[...]}, read anew when it changes) and a log of paths (--log FILE).

A rule: "match" (part of path and query; "" all), "times" (so many requests; absent: all), and any of
    delay: seconds before the answer            trickle: seconds between pieces of the body
    drop: "before", "head" (in its middle), "amid" (half of the body)
    status, retry_after (text), redirect (URL)
    truncate: bytes of the body that come, though Content-Length says all
    length: "longer" "shorter" "absent" "chunked" "chunked-cut" "chunked-garbage" "two" "garbage" "huge"
    endless: true: a body without end            type: the content type
    headers: {name: value or null}: set or left out      garbage: "status", "headers", "large" (100 KB of them), "many"
    body: text, body_hex: bytes, in place of the real one
    world: answers of that world                 switch: from that world from the middle of the body on
"""
import argparse
import json
import os
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from answers import of_directory, tls_certificate  # noqa: E402

REQUEST_MAX = 65536
ENDLESS_MAX = 256 << 20  # an endless body ends after all, so that a test that fails ends too
REASONS = {200: "OK", 302: "Found", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Connection(socketserver.BaseRequestHandler):
    """One connection, one request: every answer says Connection: close."""

    def setup(self):
        self.request.settimeout(30)
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)

    def handle(self):
        try:
            request = self.read_request()
            if request is not None:
                self.answer(*request)
        except (OSError, ssl.SSLError, ValueError):
            pass  # the client has gone, as it may

    def finish(self):
        try:
            self.request.close()
        except OSError:
            pass

    def read_request(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(4096)
            if not piece or len(data) > REQUEST_MAX:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        while len(body) < length:
            body += self.request.recv(4096)
        return method, target, body

    def answer(self, method, target, body):
        origin = self.server.origin
        if target.startswith("/control/"):
            return self.plain(200, json.dumps(origin.control(target, body)).encode())
        rule, answer = origin.take(target)
        if rule.get("delay"):
            time.sleep(rule["delay"])
        if rule.get("drop") == "before":
            return None
        if method not in ("GET", "HEAD"):
            return self.plain(405, b"")
        status, headers, content = response(origin, rule, answer, target)
        self.give(rule, status, headers, content)
        return None

    def plain(self, status, body):
        self.give({}, status, {"Content-Type": "application/json"}, body)

    def give(self, rule, status, headers, body):
        length = rule.get("length")
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        if rule.get("garbage") == "status":
            lines = ["NOT HTTP AT ALL \x01\x02"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if rule.get("garbage") == "headers":
            lines += ["this line has no colon", ": no name", "X-Bytes: \x01\xff\xfe", "\tfolded"]
        elif rule.get("garbage") == "large":
            lines += ["X-Large: " + "x" * 102400]
        elif rule.get("garbage") == "many":
            lines += [f"X-{i}: y" for i in range(20000)]
        lines += length_lines(length, len(body), rule.get("endless"))
        head = ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode("latin-1")
        if rule.get("drop") == "head":
            return self.request.sendall(head[:len(head) // 2])
        self.request.sendall(head)
        if rule.get("endless"):
            return self.endless(body)
        if length in ("chunked", "chunked-cut", "chunked-garbage"):
            return self.chunked(body, length)
        end = len(body) // 2 if rule.get("drop") == "amid" else rule.get("truncate", len(body))
        return self.pieces(body[:end], rule.get("trickle"))

    def pieces(self, body, pause):
        step = max(1, len(body) // 20) if pause else max(1, len(body))
        for at in range(0, len(body), step):
            self.request.sendall(body[at:at + step])
            if pause:
                time.sleep(pause)

    def endless(self, body):
        block = (body or b" ") * (65536 // max(1, len(body)) + 1)
        for _ in range(ENDLESS_MAX // len(block)):
            self.request.sendall(block)

    def chunked(self, body, how):
        half = len(body) // 2
        self.request.sendall(b"%x\r\n%s\r\n" % (half, body[:half]) if half else b"")
        if how == "chunked-garbage":
            self.request.sendall(b"zz\r\n")
        rest = body[half:]
        if how == "chunked" and rest:
            self.request.sendall(b"%x;ext=1\r\n%s\r\n" % (len(rest), rest))
        if how == "chunked":
            self.request.sendall(b"0\r\n\r\n")


def length_lines(how, length, endless):
    if how in ("chunked", "chunked-cut", "chunked-garbage"):
        return ["Transfer-Encoding: chunked"]
    if how == "absent" or (endless and how is None):
        return []
    values = {"longer": [length + 100], "shorter": [max(0, length - length // 3 - 1)], "two": [length, length + 1],
              "garbage": ["ten"], "huge": [1 << 62]}.get(how, [length])
    return [f"Content-Length: {value}" for value in values]


def response(origin, rule, answer, target):
    """Status, headers and body after the rule's changes."""
    if answer is None:
        status, headers, body = 404, {"Content-Type": "text/plain"}, b"no such item"
    else:
        status, headers, body = answer.status, dict(answer.headers), answer.body
    if "switch" in rule and answer is not None:
        other = origin.worlds[rule["switch"]].find(target)
        if other is not None:
            body = body[:len(body) // 2] + other.body[len(body) // 2:]
    if "body" in rule:
        body = rule["body"].encode()
    if "body_hex" in rule:
        body = bytes.fromhex(rule["body_hex"])
    if "status" in rule:
        status = rule["status"]
        if status != 200 and "body" not in rule:
            headers, body = {"Content-Type": "text/plain"}, b"scripted"
    if "redirect" in rule:
        status, body = rule.get("status", 302), b""
        headers = {"Location": rule["redirect"]}
    if "retry_after" in rule:
        headers["Retry-After"] = rule["retry_after"]
    if "type" in rule:
        headers["Content-Type"] = rule["type"]
    for name, value in rule.get("headers", {}).items():
        headers = {n: v for n, v in headers.items() if n.lower() != name.lower()}
        if value is not None:
            headers[name] = value
    return status, headers, body


class TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that leaves during the handshake, or does not trust us


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    handle_error = TcpServer.handle_error


class Origin:
    def __init__(self, worlds, tls=False, listen="127.0.0.1:0", work=None, control_file=None, log_file=None):
        """worlds: name -> Answers; the one named "" is given until another is chosen."""
        self.worlds = worlds
        self.world = ""
        self.rules = []
        self.counts = {}
        self.lock = threading.Lock()
        self.control_file, self.control_seen, self.log_file = control_file, None, log_file
        self.ca = None
        if listen.startswith("unix:"):
            self.server = UnixServer(listen[5:], Connection)
            self.url = listen
        else:
            host, _, port = listen.rpartition(":")
            self.server = TcpServer((host, int(port)), Connection)
            self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}"
        self.server.origin = self
        self.server.tls = None
        if tls:
            self.ca, key = tls_certificate(work or tempfile.mkdtemp())
            self.server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.server.tls.load_cert_chain(self.ca, key)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        if isinstance(self.server, UnixServer) and os.path.exists(self.server.server_address):
            os.unlink(self.server.server_address)

    # --- the script ---

    def fault(self, match, **rule):
        with self.lock:
            self.rules.append(dict(rule, match=match))

    def clear(self):
        with self.lock:
            self.rules, self.counts = [], {}

    def choose(self, world):
        with self.lock:
            self.world = world

    def requests(self, part=""):
        with self.lock:
            return sum(n for path, n in self.counts.items() if part in path)

    def control(self, target, body):
        what = json.loads(body) if body else {}
        if target == "/control/fault":
            self.fault(what.pop("match", ""), **what)
        elif target == "/control/clear":
            self.clear()
        elif target == "/control/world":
            self.choose(what["world"])
        with self.lock:
            return {"total": sum(self.counts.values()), "paths": self.counts}

    def take(self, target):
        """Counts a request, and says by which rule and with which answer."""
        with self.lock:
            self.read_control_file()
            self.counts[target] = self.counts.get(target, 0) + 1
            if self.log_file:
                with open(self.log_file, "a", encoding="utf-8") as f:
                    f.write(target + "\n")
            rule = {}
            for candidate in reversed(self.rules):
                if candidate.get("match", "") in target and candidate.get("times", 1) > 0:
                    if "times" in candidate:
                        candidate["times"] -= 1
                    rule = candidate
                    break
            return rule, self.worlds[rule.get("world", self.world)].find(target)

    def read_control_file(self):
        if not self.control_file or not os.path.exists(self.control_file):
            return
        stat = os.stat(self.control_file)
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self.control_seen:
            with open(self.control_file, encoding="utf-8") as f:
                what = json.load(f)
            self.control_seen, self.rules, self.world = seen, what.get("faults", []), what.get("world", "")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--world", action="append", required=True, help="NAME=DIR; the first one's name is usually empty")
    p.add_argument("--tls", action="store_true")
    p.add_argument("--listen", default="127.0.0.1:0")
    p.add_argument("--work")
    p.add_argument("--control")
    p.add_argument("--log")
    a = p.parse_args()
    worlds = {}
    for world in a.world:
        name, _, directory = world.partition("=")
        worlds[name] = of_directory(directory)
    with Origin(worlds, a.tls, a.listen, a.work, a.control, a.log) as origin:
        origin.choose(a.world[0].partition("=")[0])
        print(json.dumps({"url": origin.url, "ca": origin.ca}), flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    sys.exit(main())
