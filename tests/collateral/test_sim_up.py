#!/usr/bin/env python3
"""`atls sim up`: a simulated platform's collateral, as a PCCS would give it."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
from answers import SGX, TDX, make_world, of_directory  # noqa: E402
from cli import ATLS, Report, atls  # noqa: E402
from test_serve import FMSPC, Serve, ask  # noqa: E402


def main():
    r = Report()
    with tempfile.TemporaryDirectory() as tmp:
        world = make_world(ATLS, os.path.join(tmp, "world"))
        answers = of_directory(world)
        sock = os.path.join(tmp, "up.sock")
        for listen in ("127.0.0.1:0", "unix:" + sock):
            with Serve(listen, "--dir", world, command=("sim", "up")) as s:
                for path in (f"{TDX}/tcb?fmspc={FMSPC}", f"{SGX}/tcb?fmspc={FMSPC}", f"{TDX}/qe/identity",
                             f"{SGX}/qe/identity", f"{SGX}/pckcrl?ca=platform&encoding=der", f"{SGX}/rootcacrl"):
                    status, headers, body = ask(s, path)
                    want = answers.find(path)
                    r.check(status == 200 and body == want.body, path, (status, body[:100]))
                    for name, value in want.headers.items():
                        r.check(not name.endswith("-Chain") or headers.get(name.lower()) == value, name, headers)
                for path in (f"{TDX}/tcb?fmspc=000000000001", f"{TDX}/tcb?fmspc={FMSPC}&update=early", "/x"):
                    r.check(ask(s, path)[0] == 404, path)
                r.check(s.end() == 0, "SIGTERM", s.said())
        r.check(not os.path.exists(sock), "the socket is taken away")
        got = atls("sim", "up", "--dir", world, "--listen", "0.0.0.0:0")
        r.check(got.code == 1 and "[serve.plain]" in got.err, "where others reach it", got.err)
        for args in ((), ("--dir", world, "x"), ("--listen", "127.0.0.1:0")):
            got = atls("sim", "up", *args)
            r.check(got.code == 1 and "[usage.option]" in got.err, "usage", got.err)
        got = atls("sim", "up", "--dir", tmp)
        r.check(got.code == 2 and "[input.open]" in got.err, "no platform", got.err)
    r.end()


if __name__ == "__main__":
    main()
