#!/usr/bin/env python3
"""What a user gets: installs to a directory, builds the examples against it through pkg-config, and runs them against each
other and against the installed program."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

from cli import BUILD, SANITIZED, SOURCE, Report, skip

report = Report()


def run(*args, env=None, stdin=b"", timeout=60):
    return subprocess.run([str(a) for a in args], input=stdin, capture_output=True, check=False, timeout=timeout, env=env)


def installed(dest):
    """The paths of an installation under dest."""
    options = {o["name"]: o["value"] for o in json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())}
    prefix = dest / options["prefix"].lstrip("/")
    return prefix, prefix / options["libdir"]


def shape(prefix, lib):
    for name in ("libatls", "libatls-attest", "libatls-fetch"):
        link = lib / f"{name}.so.0"
        report.check(link.is_file(), "installed", link)
        soname = run("readelf", "-d", link).stdout.decode()
        report.check(f"Library soname: [{name}.so.0]" in soname, "soname", soname)
        symbols = re.findall(r"^\S* [A-TV-Z] (\S+)$", run("nm", "-D", "--defined-only", link).stdout.decode(), re.M)
        strange = [s for s in symbols if not s.startswith("atls_") and not s.startswith("ATLS_")]
        report.check(symbols and not strange, f"symbols of {name}", strange)
        report.check((lib / f"{name}.a").is_file(), "installed", f"{name}.a")
        report.check((lib / "pkgconfig" / f"{name}.pc").is_file(), "installed", f"{name}.pc")
    headers = sorted(p.name for p in (SOURCE / "include" / "atls").glob("*.h"))
    got = sorted(p.name for p in (prefix / "include" / "atls").glob("*.h"))
    report.check(headers == got, "headers", f"{got}, wanted {headers}")
    if shutil.which("scdoc"):
        page = next((prefix / "share" / "man" / "man1").glob("atls.1*"), None)
        report.check(page is not None, "installed", "atls.1")
    version = run(prefix / "bin" / "atls", "--version", env={})
    report.check(version.returncode == 0 and version.stdout.startswith(b"atls "), "the program finds its libraries",
                 version.stderr)


def pkg_config(dest, lib, *args):
    env = {**os.environ, "PKG_CONFIG_PATH": str(lib / "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(dest)}
    got = run("pkg-config", *args, env=env)
    report.check(got.returncode == 0, f"pkg-config {args}", got.stderr)
    return shlex.split(got.stdout.decode())


def compile_all(dest, lib, tmp):
    """Each header alone, and the examples. Returns where the examples are."""
    cc = os.environ.get("CC", "cc")
    strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_DEFAULT_SOURCE"]
    flags = pkg_config(dest, lib, "--cflags", "--libs", "libatls-attest", "libatls-fetch", "libatls")
    for header in (SOURCE / "include" / "atls").glob("*.h"):
        unit = tmp / "alone.c"
        unit.write_text(f"#include <atls/{header.name}>\nint main(void) {{ return 0; }}\n")
        got = run(cc, *strict, unit, *flags, "-o", tmp / "alone")
        report.check(got.returncode == 0, f"{header.name} alone", got.stderr.decode())
    for name in ("client", "server"):
        got = run(cc, *strict, SOURCE / "examples" / f"{name}.c", *flags, "-o", tmp / name)
        report.check(got.returncode == 0, f"examples/{name}.c", got.stderr.decode())


def converse(prefix, lib, tmp):
    env = {**os.environ, "LD_LIBRARY_PATH": str(lib)}
    state = tmp / "server-state"
    state.mkdir()
    server = subprocess.Popen([tmp / "server", "0", state], stdout=subprocess.PIPE, env=env)
    try:
        line = server.stdout.readline().decode()
        port = re.search(r"\d+", line)
        if not report.check(port is not None, "the server's port", line):
            return
        got = run(tmp / "client", "127.0.0.1", port.group(), state / "tdx.json", state / "root.pem", env=env)
        report.check(got.returncode == 0 and got.stdout == b"hello\n" and b"ACCEPTED" in got.stderr, "client and server",
                     f"{got.returncode} {got.stdout} {got.stderr}")
        got = run(tmp / "client", "127.0.0.1", port.group(), state / "tdx.json", env=env)
        report.check(got.returncode == 4 and got.stdout == b"", "a client that does not trust the simulator",
                     f"{got.returncode} {got.stdout} {got.stderr}")
        got = run(prefix / "bin" / "atls", "connect", "--brief", "--json", "--insecure-sim-root", state / "root.pem", "--collateral",
                  state / "tdx.json", f"127.0.0.1:{port.group()}")
        report.check(got.returncode == 0 and json.loads(got.stdout)["accepted"], "the installed program and the server",
                     f"{got.returncode} {got.stdout} {got.stderr}")
    finally:
        server.kill()
        server.wait()


def main():
    if SANITIZED:
        skip("libraries with a sanitizer cannot be used by programs without it")
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        dest = tmp / "dest"
        got = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", dest)
        report.check(got.returncode == 0, "meson install", got.stdout.decode()[-500:] + got.stderr.decode())
        prefix, lib = installed(dest)
        shape(prefix, lib)
        compile_all(dest, lib, tmp)
        converse(prefix, lib, tmp)
    report.end()


if __name__ == "__main__":
    main()
