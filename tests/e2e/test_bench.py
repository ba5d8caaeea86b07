#!/usr/bin/env python3
"""`atls bench` prints the members that it promises, and numbers that fit each other."""
import pathlib
import tempfile

from cli import Report, atls

report = Report()


def verify(pki, quote):
    base = ("bench", "verify", "--seconds", 1, "--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    signatures = []
    for extra in ((), ("--cold",)):
        run = atls(*base, *extra, quote)
        if not report.check(run.code == 0 and run.err == "", f"bench verify {extra}", f"{run.code} {run.err}"):
            continue
        got = run.json
        report.check(list(got) == ["per_s", "p50_us", "p99_us", "ecdsa_verifies", "ecdsa_p256_per_s", "of_limit"], "members", got)
        report.check(got["per_s"] > 10 and 0 < got["p50_us"] <= got["p99_us"], "rates", got)
        limit = got["per_s"] * got["ecdsa_verifies"] / got["ecdsa_p256_per_s"]
        report.check(abs(limit - got["of_limit"]) < 0.01, "of_limit is what its members give", got)
        report.check(0.01 < got["of_limit"] < 1.2, "of_limit", got)
        signatures.append(got["ecdsa_verifies"])
    report.check(len(signatures) == 2 and signatures[0] < signatures[1], "caches save signatures", signatures)
    run = atls(*base, "--at", "2001-01-01T00:00:00Z", quote)
    report.check(run.code == 0 and "refused all the same" in run.err, "a refusal is told", f"{run.code} {run.err}")
    run = atls(*base, "-", stdin=b"no quote")
    report.check(run.code == 4 and "[bench.evidence]" in run.err and run.out == "", "nothing to measure", f"{run.code} {run.err}")


def handshake():
    for mutual in (False, True):
        run = atls("bench", "handshake", "--seconds", 1, "--json", *(["--mutual"] if mutual else []))
        if not report.check(run.code == 0 and run.err == "", f"bench handshake {mutual}", f"{run.code} {run.err}"):
            continue
        got = run.json
        report.check(list(got) == ["binding", "mutual", "plain_per_s", "attested_per_s", "no_evidence_per_s", "overhead"], "members",
                     got)
        report.check(got["binding"] == "atls/1" and got["mutual"] is mutual, "what was measured", got)
        report.check(got["plain_per_s"] > got["no_evidence_per_s"] > got["attested_per_s"] > 0, "order", got)
        report.check(abs(got["plain_per_s"] / got["no_evidence_per_s"] - 1 - got["overhead"]) < 0.01, "overhead", got)
    run = atls("bench", "handshake", "--binding", "nobody")
    report.check(run.code == 1, "a binding that is not there", run.err)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        pki, quote = pathlib.Path(tmp) / "pki", pathlib.Path(tmp) / "quote"
        report.check(atls("sim", "pki", pki).code == 0, "sim pki")
        report.check(atls("sim", "evidence", "--pki", pki, "-o", quote).code == 0, "sim evidence")
        verify(pki, quote)
        handshake()
    report.end()


if __name__ == "__main__":
    main()
