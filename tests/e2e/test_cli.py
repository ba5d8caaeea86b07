#!/usr/bin/env python3
"""The program's surface: help, exit statuses, and what bad input gets: a code, a check id, one sentence, little cost."""
import json
import os
import pathlib
import re
import stat
import sys
import tempfile

from cli import SANITIZED, SOURCE, Report, atls

COMMANDS = {
    (): ("verify", "inspect", "connect", "proxy", "attest", "policy", "sim", "bench", "demo"),
    ("sim",): ("pki", "evidence"),
    ("policy",): ("check", "explain"),
    ("proxy",): ("server",),
    ("bench",): ("verify", "handshake"),
}
CHECK_ID = re.compile(r"\[[a-z0-9_]+(\.[a-z0-9_]+)+\]\n$")
MIB = 1024 * 1024

report = Report()


def refused(name, run, code, check=None):
    """Code, one sentence with its check id on stderr, nothing on stdout."""
    report.check(run.code == code, name, f"exit status {run.code}, wanted {code}: {run.err}")
    report.check(CHECK_ID.search(run.err) is not None and run.err.count("\n") == 1, name, f"stderr {run.err!r}")
    report.check(run.out == "", name, f"stdout {run.out!r}")
    report.check(check is None or f"[{check}]" in run.err, name, f"{run.err!r}, wanted {check}")


def judged(name, run, code, check=None):
    """A verdict: one JSON object with that code and check, whatever the status."""
    report.check(run.code == code, name, f"exit status {run.code}, wanted {code}: {run.out} {run.err}")
    try:
        got = run.json
    except json.JSONDecodeError:
        report.check(False, name, f"no JSON: {run.out!r} {run.err!r}")
        return {}
    report.check(got["code"] == code and got["accepted"] == (code == 0), name, f"{got}")
    report.check(check is None or got["check"] == check, name, f"check {got['check']}, wanted {check}: {got['message']}")
    report.check(code == 0 or (got["check"] != "" and got["message"] != ""), name, "no reason")
    for member in ("format", "checks", "binding", "identity", "freshness", "root", "simulated", "at"):
        report.check(member in got, name, f"no {member}")
    return got


def cheap(name, run, own_mib=0):
    """Under 50 ms of CPU beyond starting the program, and 16 MiB beyond the file's own size."""
    factor = 10 if SANITIZED else 1
    report.check(run.cpu_s < start.cpu_s + 0.05 * factor, name, f"{run.cpu_s * 1000:.0f} ms CPU")
    report.check(run.rss_kib < start.rss_kib + (16 + own_mib) * 1024 * factor, name, f"{run.rss_kib} KiB")


def help_everywhere():
    for above, names in COMMANDS.items():
        run = atls(*above, "--help")
        report.check(run.code == 0 and all(n in run.out for n in names), f"help of {above}", run.out + run.err)
        for name in names:
            run = atls(*above, name, "--help")
            report.check(run.code == 0 and run.out.startswith("usage: atls") and run.err == "", f"help of {above} {name}",
                         run.out + run.err)
    version = atls("--version")
    report.check(version.code == 0 and re.fullmatch(r"atls \d+\.\d+\.\d+\n", version.out) is not None, "version", version.out)


def usage_errors(d):
    (d / "p.json").write_text("{}")
    for name, args, check in (
            ("no such command", ("frobnicate",), "usage.command"),
            ("no such subcommand", ("sim", "down"), "usage.command"),
            ("no such option", ("verify", "--frobnicate", "x"), "usage.option"),
            ("option without its argument", ("verify", "x", "--policy"), "usage.option"),
            ("no file", ("verify",), "usage.operand"),
            ("two files", ("verify", "a", "b"), "usage.operand"),
            ("format unknown", ("verify", "--format", "pdf", "x"), "usage.argument"),
            ("report data no hex", ("verify", "--report-data", "xx", "x"), "usage.argument"),
            ("report data odd", ("verify", "--report-data", "abc", "x"), "usage.argument"),
            ("report data of 65 bytes", ("verify", "--report-data", "00" * 65, "x"), "usage.argument"),
            ("nonce empty", ("verify", "--nonce", "", "x"), "usage.argument"),
            ("time without zone", ("verify", "--at", "2025-07-04T10:00:00", "x"), "usage.argument"),
            ("time on February 30", ("verify", "--at", "2025-02-30T10:00:00Z", "x"), "usage.argument"),
            ("leeway negative", ("verify", "--leeway", "-1", "x"), "usage.argument"),
            ("root without family", ("verify", "--root", str(d / "p.json"), "x"), "usage.root"),
            ("root of an unknown family", ("verify", "--root", f"arm:{d / 'p.json'}", "x"), "usage.root"),
            ("binding unknown", ("connect", "--binding", "cocoss", "127.0.0.1:1"), "config.bindings"),
            ("no address", ("connect", "nowhere"), "usage.address"),
            ("no evidence of that type", ("attest", "--type", "sev"), "attest.type"),
            ("simulator without its directory", ("attest", "--type", "sim"), "attest.sim"),
            ("server without addresses", ("proxy", "server"), "usage.option"),
            ("inspecting a connection", ("inspect", "localhost:443"), "usage.operand"),
    ):
        refused(name, atls(*args), 1, check)
    for name, text in (("policy empty", ""), ("policy of another version", '{"atls_policy":2,"workloads":[]}'),
                       ("policy with an unknown key", '{"atls_policy":1,"workloads":[],"x":1}'),
                       ("policy cut short", '{"atls_policy":1,'), ("policy with NUL", '{"atls_policy":1\0}'),
                       ("policy 10^5 deep", "[" * 100000), ("policy of invalid UTF-8", b'{"\xff":1}')):
        path = d / "policy.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        refused(name, atls("verify", "--policy", path, "/dev/null"), 1)
        run = atls("policy", "check", path)
        refused(f"policy check: {name}", run, 1)
        report.check("line" in run.err, name, f"no line in {run.err!r}")


def missing_files(d):
    refused("no such file", atls("verify", "--json", d / "none"), 2, "input.open")
    refused("a directory as evidence", atls("verify", d), 2, "input.read")
    refused("no such policy", atls("verify", "--policy", d / "none", "/dev/null"), 2, "input.open")
    refused("no such collateral", atls("verify", "--collateral", d / "none", "/dev/null"), 2, "input.open")
    refused("no such root", atls("verify", "--root", f"intel:{d}/none", "/dev/null"), 2, "input.open")
    refused("no such endorsement", atls("verify", "--endorsement", d / "none", "/dev/null"), 2, "input.open")
    refused("no such platform", atls("sim", "evidence", "--pki", d / "none"), 2, "input.open")
    refused("nobody listens", atls("connect", "--brief", "127.0.0.1:1"), 2, "net.connect")
    if os.getuid() != 0:
        store = d / "unreadable"
        store.mkdir()
        store.chmod(0)
        refused("a store that cannot be read", atls("verify", "--collateral", store, "/dev/null"), 2, "input.open")
        store.chmod(0o700)


def collateral_stores(d, pki, quote):
    good = (pki / "collateral-tdx.json").read_bytes()
    store = d / "store"
    store.mkdir()
    args = ("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", store, quote)
    judged("an empty store", atls(*args), 3)
    (store / "a.json").write_bytes(good)
    (store / ".b.json").write_bytes(good[:100])
    (store / "c.json.part").write_bytes(good[:100])
    judged("a store while another file is written", atls(*args), 0)
    (store / "d.json").write_bytes(good[:1000])
    got = judged("a store with half a file", atls(*args), 4)
    report.check("d.json" in got.get("message", ""), "half a file is named", got.get("message"))
    (store / "d.json").unlink()
    (store / "d.json").symlink_to(d / "none")
    run = atls(*args)
    refused("a store with a dangling link", run, 2, "input.open")
    report.check("d.json" in run.err, "the dangling link is named", run.err)
    judged("the simulator's own directory as a store",
           atls("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, quote), 0)
    judged("collateral on standard input", atls("verify", "--json", "--insecure-sim-root", pki / "root.pem",
                                                "--collateral", "-", quote, stdin=good), 0)
    for name, body in (("empty", b""), ("an array", b"[]"), ("no member", b"{}"), ("with NUL", b'{"tcb_info":"\0"}'),
                       ("of invalid UTF-8", b'{"tcb_info":"\xff"}'), ("10^5 deep", b'{"tcb_info":' + b"[" * 100000),
                       ("a member twice", b'{"pck_crl":"","pck_crl":""}'), ("a member that is no text", b'{"pck_crl":7}')):
        path = d / "bad.json"
        path.write_bytes(body)
        run = atls("verify", "--json", "--collateral", path, quote)
        report.check(run.code in (3, 4), f"collateral {name}", f"exit status {run.code}: {run.out}")
        judged(f"collateral {name}", run, run.code)
        cheap(f"collateral {name}", run)


def bad_evidence(d, pki, quote):
    whole = quote.read_bytes()
    base = ("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki / "collateral-tdx.json")
    judged("the quote itself", atls(*base, quote), 0)
    judged("the quote on standard input", atls(*base, "-", stdin=whole), 0)
    judged("nothing", atls(*base, "-"), 4)
    for n in (1, 47, 48, 631, 632, 635, 636, 700, 1100, len(whole) - 1):
        judged(f"cut to {n} bytes", atls(*base, "-", stdin=whole[:n]), 4)
    for name, at, byte in (("version", 0, 9), ("TEE type", 4, 1), ("report data", 48 + 520, 0xEE), ("signature", 640, 0x55),
                           ("length", 635, 0xFF)):
        spoiled = bytearray(whole)
        spoiled[at] ^= byte
        judged(f"wrong {name}", atls(*base, "-", stdin=bytes(spoiled)), 4)
    for name, bytes_ in (("zeros", bytes(5000)), ("text", b"hello\n"), ("0xff", b"\xff" * 5000)):
        judged(f"evidence of {name}", atls(*base, "-", stdin=bytes_), 4)
    got = judged("another report data", atls(*base, "--report-data", "ab", quote), 6, "binding.report_data")
    report.check(got.get("binding") == "none", "binding of a refusal", got)
    judged("its report data", atls(*base, "--report-data", "00" * 64, quote), 0)
    judged("its nonce", atls(*base, "--nonce", "00", quote), 0)
    judged("another nonce", atls(*base, "--nonce", "01", quote), 6, "binding.nonce")
    judged("before its time", atls(*base, "--at", "2001-01-01T00:00:00Z", quote), 3)
    judged("long after its time", atls(*base, "--at", "2099-01-01T00:00:00+01:00", quote), 3)
    judged("without the simulator's root", atls("verify", "--json", "--collateral", pki / "collateral-tdx.json", quote), 4)
    for family, code in (("intel", 0), ("amd", 4), ("aws", 4), ("google", 4), ("tpm", 4), ("cca", 4)):
        got = judged(f"the simulator's root for {family}",
                     atls("verify", "--json", "--root", f"{family}:{pki / 'root.pem'}", "--collateral", pki, quote), code)
        report.check((got.get("root") == "custom") == (code == 0), f"root of {family}", got.get("root"))
    judged("without collateral", atls("verify", "--json", "--insecure-sim-root", pki / "root.pem", quote), 3)
    judged("the wrong format", atls(*base, "--format", "sgx", quote), 4)
    for other in ("snp", "nitro", "cca", "jwt"):
        judged(f"format {other}", atls(*base, "--format", other, quote), 4)
    judged("format tpm", atls(*base, "--format", "tpm", quote), 4, "evidence.format")
    judged("format cert", atls(*base, "--format", "cert", quote), 4, "certificate.malformed")
    judged("a certificate without evidence", atls(*base, pki / "root.pem"), 4, "certificate.evidence")
    run = atls(*base, "--explain", quote)
    judged("--explain beside --json", run, 0)
    report.check("quote.signature" in run.err, "the table is on stderr", run.err)
    plain = atls(*base[:1], *base[2:], quote)
    report.check(plain.code == 0 and "SIMULATED" in plain.out and plain.err == "", "the text", plain.out + plain.err)


def bundles(d, pki, quote):
    base = ("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki / "collateral-tdx.json")
    path = d / "bundle.json"
    made = atls("attest", "--type", "sim", "--sim", pki, "--bundle", "--report-data", "c0ffee", "-o", path)
    report.check(made.code == 0, "attest --bundle", made.err)
    judged("a bundle", atls(*base, "--report-data", "c0ffee", path), 0)
    judged("a bundle by name", atls(*base, "--format", "bundle", path), 0)
    good = json.loads(path.read_text())
    for name, change, check in (
            ("of another version", {"atls_evidence": 2}, "bundle.version"), ("of no type", {"type": "x"}, "bundle.type"),
            ("with a strange part", {"x": "AA=="}, "bundle.part"), ("not in base64", {"quote": "?"}, "bundle.base64"),
            ("of an empty quote", {"quote": ""}, "bundle.base64")):
        judged(f"a bundle {name}", atls(*base, "-", stdin=json.dumps({**good, **change}).encode()), 4, check)
    judged("half a bundle", atls(*base, "-", stdin=path.read_bytes()[:500]), 4, "bundle.json")
    deep = atls(*base, "-", stdin=b'{"atls_evidence":' + b"[" * 100000)
    judged("a bundle 10^5 deep", deep, 4, "bundle.json")
    cheap("a bundle 10^5 deep", deep)
    judged("a bundle with NUL", atls(*base, "-", stdin=b'{"atls_evidence":1\0}'), 4, "bundle.json")
    judged("a bundle of invalid UTF-8", atls(*base, "-", stdin=b'{"atls_evidence":1,"type":"\xc0\xaf"}'), 4, "bundle.json")
    judged("a bundle of another family", atls(*base, "-", stdin=b'{"atls_evidence":1,"type":"snp","report":"AA=="}'), 4)


def large_files(d, pki, quote):
    large = d / "large"
    with open(large, "wb") as f:
        f.truncate(100 * MIB)
    base = ("verify", "--json", "--insecure-sim-root", pki / "root.pem")
    run = atls(*base, large)
    judged("100 MB of evidence", run, 4, "evidence.size")
    cheap("100 MB of evidence", run)
    run = atls(*base, "--collateral", large, quote)
    judged("100 MB of collateral", run, 4, "collateral.size")
    cheap("100 MB of collateral", run)
    run = atls(*base, "--policy", large, quote)
    refused("100 MB of policy", run, 1, "policy.size")
    cheap("100 MB of policy", run)
    refused("100 MB of root", atls("verify", "--root", f"intel:{large}", quote), 1, "root.size")
    judged("100 MB of endorsement", atls(*base, "--endorsement", large, quote), 4, "endorsement.size")
    (d / "sim").mkdir()
    (d / "sim" / "state.json").symlink_to(large)
    refused("100 MB of simulator", atls("sim", "evidence", "--pki", d / "sim"), 1, "sim.size")
    refused("100 MB of key", atls("connect", "127.0.0.1:1", "--cert", quote, "--key", large), 1, "identity.size")
    run = atls(*base, "/dev/zero")
    judged("evidence without end", run, 4, "evidence.size")
    cheap("evidence without end", run)
    run = atls("inspect", large)
    refused("inspecting 100 MB", run, 4, "inspect.size")
    cheap("inspecting 100 MB", run)
    run = atls(*base, "-", stdin=b"\x04\x00\x02\x00\x81" + bytes(4 * MIB - 5))
    judged("4 MiB that begin like a quote", run, 4)
    cheap("4 MiB that begin like a quote", run)


def other_mistakes(d, pki, quote):
    refused("a key that is none", atls("connect", "127.0.0.1:1", "--cert", quote, "--key", quote), 1, "identity.pem")
    refused("a certificate without its key", atls("connect", "127.0.0.1:1", "--cert", quote), 1, "usage.identity")
    store = d / "crowded"
    store.mkdir()
    for i in range(1025):
        (store / f"{i}.json").touch()
    refused("a store of 1025 files", atls("verify", "--collateral", store, quote), 1, "usage.collateral")


def other_commands(d, pki, quote):
    report.check(stat.S_IMODE((pki / "state.json").stat().st_mode) == 0o600, "mode of the simulator's keys")
    run = atls("inspect", "--json", quote)
    report.check(run.code == 0 and run.json["kind"] == "quote" and "no signature" in run.json["note"], "inspect", run.out[:200])
    refused("inspecting text", atls("inspect", "-", stdin=b"hello"), 4)
    policy = d / "good-policy.json"
    policy.write_text('{"atls_policy":1,"workloads":[{"name":"w","tees":["tdx"],"tdx":{"mrtd":["' + "ab" * 48 + '"]}}]}')
    run = atls("policy", "check", policy)
    report.check(run.code == 0 and run.out.startswith("ok: 1 workload") and "warning:" in run.err, "policy check", run.out + run.err)
    run = atls("policy", "check", "--json", policy)
    report.check(run.code == 0 and run.json["workloads"] == ["w"] and run.json["warnings"], "policy check --json", run.out)
    run = atls("policy", "explain", policy)
    report.check(run.code == 0 and "abab" in run.out, "policy explain", run.out)
    run = atls("verify", "--json", "--policy", policy, "--insecure-sim-root", pki / "root.pem", "--collateral", pki, quote)
    got = judged("a policy of other software", run, 5)
    report.check(any("found" in c and "ab" * 48 in c.get("wanted", "") for c in got.get("checks", [])),
                 "the register's found and wanted", got.get("checks"))
    run = atls("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "-",
               stdin=_quote(pki, "--tcb", "OutOfDate"))
    got = judged("an out-of-date platform", run, 5, "tcb.status")
    report.check(got.get("tcb", {}).get("status") == "OutOfDate" and got.get("simulated") is True, "its status", got.get("tcb"))
    judged("a debuggable TD", atls("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "-",
                                   stdin=_quote(pki, "--debug")), 5)
    for kind in ("tdx5", "sgx"):
        judged(f"a quote of kind {kind}", atls("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki,
                                               "-", stdin=_quote(pki, "--type", kind)), 0)


def _quote(pki, *args):
    with tempfile.TemporaryDirectory() as tmp:
        path = pathlib.Path(tmp) / "q"
        run = atls("sim", "evidence", "--pki", pki, *args, "-o", path)
        report.check(run.code == 0, f"sim evidence {args}", run.err)
        return path.read_bytes()


def example_of_the_page(d):
    """docs/simulator.md's example, as it stands there; then what it says of the directory."""
    page = (SOURCE / "docs" / "simulator.md").read_text(encoding="utf-8")
    lines = [line.split() for line in page.splitlines() if line.startswith("    atls ")]
    report.check([line[1:3] for line in lines if line[1] == "sim"] == [["sim", name] for name in ("pki", "evidence", "pki", "up")],
                 "the page's examples", lines)
    shown = {}
    for line in lines:
        if line[1:3] == ["sim", "up"]:
            continue  # it serves until it is stopped: tests/collateral/test_sim_up.py
        run = atls(*(re.sub(r"^(platform|later)\b", lambda m: str(d / m[0]), word) for word in line[1:]))
        report.check(run.code == 0, f"of the page: {' '.join(line)}", f"{run.code} {run.out[-300:]} {run.err}")
        shown[line[1]] = run
    run = shown["verify"]
    report.check("ACCEPTED" in run.out and "SIMULATED" in run.out, "the page's verdict", run.out)
    platform = d / "platform"
    names = set(os.listdir(platform)) - {"quote.bin"}
    report.check(all(f"`{name}`" in page for name in names), "every file is on the page", names)
    (platform / "other.json").write_bytes((platform / "state.json").read_bytes())
    judged("state.json under another name", atls("verify", "--json", "--insecure-sim-root", platform / "root.pem", "--collateral", platform,
                                                 platform / "quote.bin"), 4)
    for args in (("verify", "--help"), ("connect", "--help"), ("sim", "pki", "--help")):
        report.check("state.json" in atls(*args).out, f"state.json in {args}")


def main():
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        pki, quote = d / "pki", d / "quote"
        run = atls("sim", "pki", pki)
        report.check(run.code == 0 and run.out == "", "sim pki", run.err)
        quote.write_bytes(_quote(pki))
        help_everywhere()
        for part in (usage_errors, missing_files, example_of_the_page):
            part(d)
        for part in (collateral_stores, bad_evidence, bundles, large_files, other_mistakes,
                     other_commands):
            part(d, pki, quote)
    report.end()


if __name__ == "__main__":
    start = atls("--version")
    sys.exit(main())
