#!/usr/bin/env python3
"""Certificates that carry evidence, through `atls verify`: those of vectors/ra-tls as their manifest says. There is no
collateral of their platforms, so that a good one is refused with 3, unless something else says more."""
import json
import pathlib
import subprocess
import tempfile

from cli import VECTORS, Report, atls, skip

FOLDER = VECTORS / "ra-tls"
LEGACY = {"rats-tls-classic-1337-rsa-a.pem": "ra-tls-knauth", "rats-tls-classic-1337-rsa-b.pem": "ra-tls-knauth"}


def checks(verdict, result):
    return {c["id"]: c for c in verdict["checks"] if c["result"] == result}


def judged(report, what, code, *args):
    run = atls("verify", "--json", *args)
    report.check(run.code == code, what, f"exit status {run.code}, wanted {code}: {run.out} {run.err}")
    return run.json


def bound(report, v, expect, dialect):
    """A certificate whose binding holds: all but collateral and debug mode is in order."""
    what = v["file"]
    file = FOLDER / what
    debug = "DEBUG" in expect["policy_default"]
    got = judged(report, what, 5 if debug else 3, "--at", v["time"], "--binding", dialect, file)
    failed, ok = checks(got, "fail"), checks(got, "ok")
    report.check(set(failed) == {"collateral.missing"} | ({"policy.debug"} if debug else set()), what, f"fails {sorted(failed)}")
    report.check(ok["certificate.evidence"]["found"] == dialect, what, ok["certificate.evidence"])
    for name in ("certificate.signature", "certificate.time", "certificate.critical", "quote.signature", "pck.chain.root",
                 "pck.leaf.signature", "qe_report.signature", "qe_report.data", "binding.report_data", "policy.binding"):
        report.check(name in ok, what, f"{name} is not ok")
    claims = got["claims"]
    for name, key in (("mrenclave", "mrenclave"), ("mrsigner", "mrsigner")):
        report.check(key not in expect or claims[name] == expect[key], what, f"{name} {claims[name]}")
    if "claims_sha256" in expect:
        report.check(claims["report_data"] == expect["claims_sha256"] + "00" * 32, what, claims["report_data"])
    if "fmspc" in expect:
        report.check(got["platform"]["fmspc"] == expect["fmspc"], what, got["platform"])


def time_passes(report):
    got = judged(report, "rats-tls-cert.pem, expired", 6, "--at", "2024-06-01T00:00:00Z", FOLDER / "rats-tls-cert.pem")
    report.check(got["check"] == "certificate.time", "expired", got["check"])
    report.check("binding.report_data" in checks(got, "ok"), "expired", "the evidence was not judged")


def legacy(report, v):
    what = v["file"]
    got = judged(report, what, 4, "--at", v["time"], FOLDER / what)
    report.check(got["check"] == "certificate.evidence", what, got["check"])
    bound(report, v, v["expect"], LEGACY[what])


def gramine_legacy(report, v, tmp):
    """The first quote of Gramine's certificate is over the key alone; both dialects read the claims first."""
    bound(report, v, v["expect"], "ra-tls-gramine")
    bound(report, v, v["expect"], "ra-tls")
    der = tmp / "gramine.der"
    subprocess.run(["openssl", "x509", "-in", FOLDER / v["file"], "-outform", "DER", "-out", der], check=True)
    got = judged(report, "DER", 5, "--at", v["time"], "--format", "cert", der)
    report.check(got["check"] == "policy.debug", "DER", got["check"])
    # One bit of the certificate's own signature: the other checks are made all the same.
    bytes_ = bytearray(der.read_bytes())
    bytes_[-1] ^= 1
    der.write_bytes(bytes_)
    got = judged(report, "a broken self-signature", 4, "--at", v["time"], der)
    report.check(got["check"] == "certificate.signature", "a broken self-signature", got["check"])
    report.check({"binding.report_data", "quote.signature"} <= set(checks(got, "ok")), "a broken self-signature", "hides more")


def unbound(report, v):
    what = v["file"]
    got = judged(report, what, 6, "--at", v["time"], FOLDER / what)
    failed = checks(got, "fail")
    report.check(got["check"] == "binding.report_data", what, got["check"])
    report.check(failed["binding.report_data"]["found"].startswith("d8673446"), what, failed["binding.report_data"])
    report.check(failed["binding.report_data"]["wanted"].startswith("85213ce1"), what, failed["binding.report_data"])
    report.check("quote.signature" in checks(got, "ok"), what, "the quote's signature does not verify")
    report.check(got["binding"] == "none", what, got["binding"])


def without_hash(report, v):
    what = v["file"]
    got = judged(report, what, 4, "--at", v["time"], FOLDER / what)
    report.check(got["check"] == "tcg.pubkey_hash", what, got["check"])


def shown(report):
    """What `atls inspect` says of the evidence in a certificate."""
    run = atls("inspect", "--json", FOLDER / "rats-tls-cert.pem")
    e = run.json["evidence"]
    report.check(e["dialect"] == "ra-tls", "inspect", e["dialect"])
    claims = e["claims"]
    report.check(claims["pubkey-hash"]["is_of_this_key"] is True, "inspect", claims)
    report.check(claims["pubkey-hash"]["hash"] == "sha-256", "inspect", claims)
    report.check(claims["key_0"] == b"value_0\0".hex() and claims["key_1"] == b"value_1\0".hex(), "inspect", claims)
    report.check(e["type"] == "sgx" and e["quote"]["bytes"] == 4734 and len(e["quote"]) > 3, "inspect", list(e["quote"]))
    run = atls("inspect", "--json", FOLDER / "claims-without-pubkey-hash.pem")
    e = run.json["evidence"]
    report.check(e["dialect"] == "ra-tls" and "tcg.pubkey_hash" in e["error"], "inspect", e)
    run = atls("inspect", FOLDER / "rats-tls-classic-1337-rsa-a.pem")
    report.check(run.code == 0 and "ra-tls-knauth" in run.out, "inspect", run.out[-300:])


def usage(report):
    run = atls("verify", "--binding", "atlas", FOLDER / "gramine-cert.pem")
    report.check(run.code == 1 and "atlas" in run.err, "a dialect without certificates", f"{run.code} {run.err}")
    run = atls("policy", "learn", FOLDER / "gramine-cert.pem")
    report.check(run.code != 0, "learning from a certificate", run.out)


def main():
    if not FOLDER.is_dir():
        skip("no vectors")
    report = Report()
    manifest = json.loads((FOLDER / "MANIFEST.json").read_text())
    with tempfile.TemporaryDirectory() as tmp:
        for v in manifest["vectors"]:
            if v["file"] == "worked-example-unbound.pem":
                unbound(report, v)
            elif v["file"] == "claims-without-pubkey-hash.pem":
                without_hash(report, v)
            elif v["file"] in LEGACY:
                legacy(report, v)
            elif v["file"] == "gramine-cert.pem":
                gramine_legacy(report, v, pathlib.Path(tmp))
            else:
                bound(report, v, v["expect"], "ra-tls")
    time_passes(report)
    shown(report)
    usage(report)
    report.end()


if __name__ == "__main__":
    main()
