#!/usr/bin/env python3
"""`atls connect` against `atls proxy server`, as processes: data both ways, half-close, mutual attestation, a command on
the connection, and servers that must be refused."""
import pathlib
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from cli import ATLS, Report, atls

report = Report()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Backend:
    """A plain server: sends back what came, in capitals, once the client has ended; so a lost half-close hangs."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.taken = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            peer, _ = self.socket.accept()
            self.taken += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def serve(peer):
        with peer:
            data = bytearray()
            while chunk := peer.recv(65536):
                data += chunk
            peer.sendall(bytes(data).upper())


class Server:
    """`atls proxy server` on a free port."""

    def __init__(self, backend, *args):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [str(ATLS), "proxy", "server", "--listen", self.address, "--forward", f"127.0.0.1:{backend.port}", *map(str, args)],
            stderr=subprocess.PIPE, text=True)
        self.log = [self.process.stderr.readline()]
        report.check("listening" in self.log[0], "proxy server starts", self.log[0])
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def logged(self, words, seconds=5):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(words in line for line in self.log):
                return True
            time.sleep(0.02)
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def accepted_connections(d, pki, backend):
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        run = atls("connect", *trust, server.address, stdin=b"hello\n")
        report.check(run.code == 0 and run.out == "HELLO\n", "data both ways", f"{run.code} {run.out!r} {run.err}")
        report.check("ACCEPTED" in run.err and "SIMULATED" in run.err and "session" in run.err, "verdict on stderr", run.err)
        large = bytes(i * 7 % 251 % 26 + 97 for i in range(3_000_000))
        run = atls("connect", *trust, server.address, stdin=large)
        report.check(run.code == 0 and run.out.encode() == large.upper(), "3 MB both ways",
                     f"{run.code} {len(run.out)} {run.err[-200:]} {server.log}")
        run = atls("connect", *trust, server.address, stdin=b"")
        report.check(run.code == 0 and run.out == "", "nothing both ways", f"{run.code} {run.out!r}")
        run = atls("connect", "--brief", "--json", *trust, server.address)
        report.check(run.code == 0 and run.json["accepted"] and run.json["binding"] == "session"
                     and run.json["freshness"] == "this connection" and run.json["simulated"], "--brief --json", run.out + run.err)
        run = atls("connect", *trust, server.address, "--", "sh", "-c", f"echo abc; exec 1>&-; cat >{d / 'got'}")
        report.check(run.code == 0 and (d / "got").read_bytes() == b"ABC\n", "a command's data, half-closed", f"{run.code} {run.err}")
        run = atls("connect", *trust, server.address, "--", "false")
        report.check(run.code == 2 and "status 1" in run.err, "a command that fails", f"{run.code} {run.err}")
        run = atls("connect", *trust, server.address, "--", d / "no-such-program")
        report.check(run.code == 2 and "connect.command" in run.err, "a command that is not there", f"{run.code} {run.err}")


def mutual(d, pki, backend):
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    with Server(backend, "--attest", "sim", "--sim", pki, *trust) as server:
        run = atls("connect", *trust, "--attest", "sim", "--sim", pki, server.address, stdin=b"both")
        report.check(run.code == 0 and run.out == "BOTH", "both attested", f"{run.code} {run.out!r} {run.err}")
        before = backend.taken
        run = atls("connect", *trust, server.address, stdin=b"none")
        report.check(run.code == 5 and run.out == "", "a client without evidence", f"{run.code} {run.out!r} {run.err}")
        report.check(server.logged("refused"), "the server logs it", server.log)
        run = atls("connect", *trust, "--attest", "sim", "--sim", pki, "--tcb", "OutOfDate", server.address, stdin=b"old")
        report.check(run.code == 5 and run.out == "", "a client on an old platform", f"{run.code} {run.out!r} {run.err}")
        report.check(backend.taken == before, "the backend never saw them", backend.taken - before)


def refused_servers(d, pki, backend):
    other = d / "other"
    report.check(atls("sim", "pki", other).code == 0, "another platform")
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    before = backend.taken
    for name, args, code in (
            ("an out-of-date platform", ("--attest", "sim", "--sim", pki, "--tcb", "OutOfDate"), 5),
            ("a debuggable TD", ("--attest", "sim", "--sim", pki, "--debug"), 5),
            ("another simulator's platform", ("--attest", "sim", "--sim", other), 4)):
        with Server(backend, *args) as server:
            run = atls("connect", *trust, server.address, stdin=b"secret")
            report.check(run.code == code and run.out == "" and "REFUSED" in run.err, name, f"{run.code} {run.out!r} {run.err}")
            run = atls("connect", "--brief", "--json", *trust, server.address)
            report.check(run.code == code and run.json["code"] == code and not run.json["accepted"], f"{name}, --json", run.out)
    with Server(backend, *trust) as server:  # asks for evidence, and has none itself
        run = atls("connect", "--brief", "--json", *trust, "--attest", "sim", "--sim", pki, server.address)
        report.check(run.code == 5 and run.json["code"] == 5 and not run.json["accepted"], "a server without evidence, --json",
                     f"{run.code} {run.out!r} {run.err}")
    with Server(backend, "--attest", "sim", "--sim", pki) as server:
        run = atls("connect", server.address, stdin=b"secret")
        report.check(run.code in (3, 4) and run.out == "", "a server whose root nobody named", f"{run.code} {run.err}")
    time.sleep(0.2)
    report.check(backend.taken == before, "the backend saw none of them", backend.taken - before)


def plain_servers(d, pki):
    """TLS without attestation, no TLS at all, and silence."""
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    port = free_port()
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                           "-subj", "/CN=plain", "-keyout", d / "k.pem", "-out", d / "c.pem"], capture_output=True, check=False)
    report.check(made.returncode == 0, "openssl req", made.stderr)
    for alpn in ((), ("-alpn", "atls/1")):
        server = subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-cert", d / "c.pem", "-key", d / "k.pem", "-quiet",
                                   "-www", *alpn], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            run = atls("connect", "--timeout", "2", *trust, f"127.0.0.1:{port}", stdin=b"secret")
            report.check(run.code in (2, 4, 5) and run.out == "" and run.err.count("[") == 1, f"a plain TLS server {alpn}",
                         f"{run.code} {run.out!r} {run.err}")
        finally:
            server.kill()
            server.wait()
    for name, greeting, closes in (("silence", b"", False), ("no TLS", b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
                                   ("an end at once", b"", True)):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(greeting)
                    if not closes:
                        select.select([], [], [], 4)

            threading.Thread(target=serve, daemon=True).start()
            start = time.monotonic()
            run = atls("connect", "--timeout", "1", *trust, f"127.0.0.1:{listener.getsockname()[1]}", stdin=b"secret")
            took = time.monotonic() - start
            report.check(run.code in (2, 4, 5) and run.out == "" and "[" in run.err, name, f"{run.code} {run.out!r} {run.err}")
            report.check(took < 3, f"{name}: in time", f"{took:.1f} s")


def hostile_peers(d, pki, backend):
    """Clients that say nothing, too little or something else end by the server's timeout; so does a server that sends a byte
    now and then, and one of TLS 1.2 is refused at once."""
    before = backend.taken
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with Server(backend, "--attest", "sim", "--sim", pki, "--timeout", "1") as server:
        for number, (name, data, check) in enumerate((("silence", b"", "session.deadline"), ("one byte", b"\x16", "session.deadline"),
                                                      ("HTTP", b"GET / HTTP/1.1\r\n\r\n", "tls.handshake"),
                                                      ("TLS without ALPN", None, "tls.alpn")), 1):
            with socket.create_connection(("127.0.0.1", server.port)) as peer:
                if data is None:
                    plain.wrap_socket(peer, suppress_ragged_eofs=True).close()
                else:
                    peer.sendall(data)
                    report.check(server.logged(f"connection {number}: refused"), f"a client of {name} is refused", server.log)
            report.check(server.logged(f"connection {number}: refused") and check in server.log[number], f"a client of {name}", server.log)
    report.check(backend.taken == before, "the backend saw none of them", backend.taken - before)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.load_cert_chain(d / "c.pem", d / "k.pem")
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    def speak_tls12(peer):
        try:
            old.wrap_socket(peer, server_side=True)
        except OSError:
            pass

    def drip(peer):
        try:
            for byte in b"\x16\x03\x03\x40\x00" + bytes(100):
                peer.sendall(bytes([byte]))
                time.sleep(0.2)
        except OSError:
            pass

    for name, serve, code, check in (("TLS 1.2", speak_tls12, 5, "tls.version"), ("a byte at a time", drip, 2, "session.deadline")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=lambda: serve(listener.accept()[0]), daemon=True).start()  # pylint: disable=cell-var-from-loop
            begin = time.monotonic()
            run = atls("connect", "--timeout", "1", "--insecure-sim-root", pki / "root.pem", "--collateral", pki,
                       f"127.0.0.1:{listener.getsockname()[1]}", stdin=b"secret")
            report.check(run.code == code and run.out == "" and f"[{check}]" in run.err, f"a server of {name}", f"{run.code} {run.err}")
            report.check(time.monotonic() - begin < 3, f"a server of {name}: in time")


def identities(d, pki, backend):
    """A server named by PKI beside its evidence."""
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                           "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", d / "lk.pem", "-out",
                           d / "lc.pem"], capture_output=True, check=False)
    report.check(made.returncode == 0, "openssl req", made.stderr)
    with Server(backend, "--attest", "sim", "--sim", pki, "--cert", d / "lc.pem", "--key", d / "lk.pem") as server:
        run = atls("connect", *trust, "--ca", d / "lc.pem", "--server-name", "localhost", server.address, stdin=b"pki")
        report.check(run.code == 0 and run.out == "PKI", "its name is right", f"{run.code} {run.err}")
        run = atls("connect", *trust, "--ca", d / "lc.pem", "--server-name", "elsewhere", server.address, stdin=b"pki")
        report.check(run.code not in (0, 1) and run.out == "", "its name is wrong", f"{run.code} {run.out!r} {run.err}")
    for args in (("--cert", d / "lc.pem"), ("--cert", d / "lk.pem", "--key", d / "lk.pem"), ("--ca", d / "lk.pem")):
        run = atls("connect", *trust, *args, "--brief", "127.0.0.1:1")
        report.check(run.code == 1 and run.err.count("\n") == 1, f"unusable identity {args}", f"{run.code} {run.err}")


def demonstration():
    run = atls("demo")
    report.check(run.code == 0 and run.out.count("REFUSED") == 3 and run.out.count("ACCEPTED") == 1, "demo", run.out[-300:])
    scenes = run.out.split("\n--- ")[1:]
    if not report.check(len(scenes) == 4, "demo: four scenes", run.out):
        return
    for scene, wanted in zip(scenes, (
            ("names", "whose     platform pinned", "this connection", "hello from inside the TEE"),
            ("other software", "FAILED  policy.tdx.mrtd", "FAILED  policy.tdx.rtmr3"),
            ("out-of-date", "FAILED  tcb.status", "found   OutOfDate"),
            ("a thief", "FAILED  binding.report_data", "somebody may stand between"))):
        told = " ".join(scene.split())
        for words in wanted:
            report.check(" ".join(words.split()) in told, f"demo: {words}", scene)
        report.check(scene.count("\nLearned: ") == 1 and scene.count("*** SIMULATED ***") == 2, "demo: each scene whole", scene)
        report.check(scene.count("    do      ") <= 1, "demo: a remedy stands once", scene)
    report.check("hello" not in "".join(scenes[1:]), "demo: nothing comes from who is refused")
    report.check(len(run.out.splitlines()) < 100, "demo: fits on a page", len(run.out.splitlines()))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "sim pki")
        backend = Backend()
        accepted_connections(d, pki, backend)
        mutual(d, pki, backend)
        refused_servers(d, pki, backend)
        plain_servers(d, pki)
        hostile_peers(d, pki, backend)
        identities(d, pki, backend)
        demonstration()
    report.end()


if __name__ == "__main__":
    main()
