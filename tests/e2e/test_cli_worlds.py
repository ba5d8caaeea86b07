#!/usr/bin/env python3
"""Each simulated family from end to end through the program: evidence made, judged, decoded, learned from, measured."""
import json
import pathlib
import tempfile

from cli import Report, atls

# Families, with what stands for "another build" in a learned policy's refusal.
FAMILIES = ("snp", "snp:genoa", "snp:turin", "tpm", "tpm:rsassa", "azure", "snp-tpm", "nitro", "cca", "jwt", "tdx", "sgx")
DATA = "ab" * 32


class World:
    def __init__(self, report, d):
        self.report, self.d = report, pathlib.Path(d)
        run = atls("sim", "pki", "--family", "all", self.d / "pki", timeout=120)
        report.check(run.code == 0, "sim pki --family all", run.err)

    def trust(self, family):
        args = ["--insecure-sim-root", self.d / "pki" / "root.pem", "--collateral", self.d / "pki"]
        vouched = self.d / "pki" / f"endorsement-{family.split(':')[0]}"
        return args + (["--endorsement", vouched] if vouched.exists() else [])

    def make(self, family, *more):
        path = self.d / f"evidence-{family.replace(':', '-')}-{len(more)}"
        run = atls("sim", "evidence", "--pki", self.d / "pki", "--tee", family, "--report-data", DATA, *more, "-o", path)
        self.report.check(run.code == 0, f"sim evidence {family} {more}", run.err)
        return path

    def verify(self, what, code, family, path, *more):
        run = atls("verify", "--json", *self.trust(family), *more, path)
        if not self.report.check(run.out.startswith("{"), what, run.err):
            return {"check": "", "claims": {}}
        got = run.json
        self.report.check(got["code"] == code == run.code, what, f"code {got['code']} ({got['check']}: {got['message']})")
        self.report.check(got["simulated"], what, "a verdict under the simulator that does not say so")
        return got


def nonce_of(family):
    """What this family has for a nonce, when 32 bytes of report data were asked for."""
    kind = family.split(":")[0]
    if kind == "jwt":
        return ("--nonce-text", DATA), ("--nonce-text", "17" + DATA[2:])
    wide = DATA if kind in ("tpm", "azure", "snp-tpm") else DATA + "00" * 32
    return ("--nonce", wide), ("--nonce", "17" + wide[2:])


def go_through(w, family):
    kind = family.split(":")[0]
    path = w.make(family)
    got = w.verify(f"{family}", 0, family, path)
    w.report.check(got.get("format") == kind, family, f"format {got.get('format')}")
    right, wrong = nonce_of(family)
    w.verify(f"{family} with its nonce", 0, family, path, *right)
    w.verify(f"{family} with another", 6, family, path, *wrong)
    run = atls("verify", "--json", "--collateral", w.d / "pki", path)
    w.report.check(run.code in (3, 4), f"{family} without the simulator's root", f"code {run.code}")
    run = atls("inspect", "--json", path)
    w.report.check(run.code == 0 and "decoded only" in run.out and run.json, f"inspect {family}", run.err)
    run = atls("inspect", path)
    w.report.check(run.code == 0 and run.out.count("\n") > 5, f"inspect {family} for people", run.err)


def learn_from(w, family):
    path, policy = w.make(family), w.d / f"policy-{family.replace(':', '-')}"
    run = atls("policy", "learn", "--name", "build", *w.trust(family), path)
    if not w.report.check(run.code == 0, f"learn {family}", run.err):
        return
    policy.write_text(run.out)
    w.report.check('"why"' in run.out, f"learn {family}", "no value says why")
    check = atls("policy", "check", policy)
    w.report.check(check.code == 0, f"the policy learned from {family}", check.err)
    got = w.verify(f"{family} under what was learned from it", 0, family, path, "--policy", policy)
    w.report.check(got.get("workload") == "build", family, f"workload {got.get('workload')}")
    other = w.make(family, "--workload", "another")
    got = w.verify(f"{family}, another build under it", 5, family, other, "--policy", policy)
    w.report.check(got["check"].startswith("policy."), family, f"check {got['check']}")
    same = atls("policy", "diff", "--json", policy, policy)
    w.report.check(same.code == 0, f"diff of {family}", same.err)


def measure(w, family):
    run = atls("bench", "verify", "--seconds", "1", *w.trust(family), w.make(family), timeout=90)
    numbers = json.loads(run.out) if run.code == 0 else {}
    w.report.check(run.code == 0 and numbers.get("per_s", 0) > 1 and numbers.get("ecdsa_verifies", 0) >= 1, f"bench {family}",
                   f"{run.out} {run.err}")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as d:
        w = World(report, d)
        for family in FAMILIES:
            go_through(w, family)
            learn_from(w, family)
        for family in ("snp", "tpm", "azure", "snp-tpm", "nitro", "cca", "jwt"):
            measure(w, family)
        policies = sorted(w.d.glob("policy-*"))
        run = atls("policy", "diff", policies[0], policies[-1])
        report.check(run.code == 5 and run.out, "diff of two", f"{run.code} {run.err}")
        run = atls("sim", "evidence", "--pki", w.d / "pki", "--tee", "snp", "--fault", "no.such", "-o", w.d / "x")
        report.check(run.code == 1 and "sim.fault" in run.err, "an unknown fault", run.err)
        run = atls("sim", "pki", "--family", "snp,abacus", w.d / "other")
        report.check(run.code == 1 and "sim.world" in run.err, "an unknown family", run.err)
    report.end()


if __name__ == "__main__":
    main()
