#!/usr/bin/env python3
"""All evidence of vectors/{sev-snp,tpm,nitro,cca,jwt,dstack} through `atls verify --json`, judged as the manifests say.
Nothing here knows a file name but where a manifest leaves out which files belong together."""
import base64
import json
import pathlib
import tempfile

from cli import VECTORS, Report, atls, skip

OLD = "2026-06-01T00:00:00Z"  # for evidence that has no time of its own


def manifest(folder):
    return json.loads((VECTORS / folder / "MANIFEST.json").read_text())


def bundle(path, kind, **parts):
    """A bundle of the parts that are not None, as a file."""
    text = {"atls_evidence": 1, "type": kind}
    text.update({name: base64.b64encode(value).decode() for name, value in parts.items() if value is not None})
    path.write_text(json.dumps(text))
    return path


def read(folder, name):
    return (VECTORS / folder / name).read_bytes()


class Judge:
    """Runs verify and checks what holds of every verdict."""

    def __init__(self, report, tmp):
        self.report, self.tmp, self.n = report, pathlib.Path(tmp), 0

    def file(self, suffix=""):
        self.n += 1
        return self.tmp / f"{self.n}{suffix}"

    def policy(self, tee, **more):
        path = self.file(".json")
        path.write_text(json.dumps({"atls_policy": 1, "workloads": [
            {"name": "any", "tees": [tee], "crl": "if-present", "bindings": ["evidence-alone"], **more}]}))
        return path

    def __call__(self, what, code, *args):
        run = atls("verify", "--json", *args)
        if not self.report.check(run.out.count("\n") == 1 and run.out.startswith("{"), what,
                                 f"no single object: {run.out!r} {run.err}"):
            return {"checks": [], "claims": {}, "check": "", "code": run.code, "format": "", "root": "", "accepted": False}
        got = run.json
        codes = code if isinstance(code, tuple) else (code,)
        self.report.check(got["code"] == run.code, what, f"exit status {run.code}, code {got['code']}")
        self.report.check(got["code"] in codes, what,
                          f"code {got['code']} ({got['check']}: {got['message']}), wanted {codes}")
        self.report.check(got["accepted"] == (got["code"] == 0), what, f"accepted {got['accepted']}")
        failed = [c["id"] for c in got["checks"] if c["result"] == "fail"]
        self.report.check((got["check"] in failed) if got["code"] else (got["check"] == "" and not failed), what,
                          f"check {got['check']} of {failed}")
        if got["code"] in (4,):
            self.report.check("claims" not in got or got["check"] != "", what, "claims of invalid evidence")
        return got


def same(report, what, claims, wanted):
    for name, value in wanted.items():
        report.check(claims.get(name) == value, what, f"{name} is {claims.get(name)!r}, wanted {value!r}")


# --- SNP ---

def snp_claims(e):
    number = ("version", "guest_svn", "vmpl")
    text = ("report_data", "measurement", "host_data", "id_key_digest", "report_id", "chip_id", "product")
    out = {n: e[n] for n in number + text if n in e}
    out["policy"] = int(e["policy"], 16)
    for tcb in ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"):
        out[tcb] = e[tcb]["raw"]
    return out


def snp(judge):
    report, policy = judge.report, judge.policy("snp")
    entries = manifest("sev-snp")
    leaves = {e["file"].rsplit(".", 2)[0]: e["file"] for e in entries if e["kind"] in ("vcek", "vlek")}
    first = next(e for e in entries if e["kind"] == "snp-report")
    for e in entries:
        path = VECTORS / "sev-snp" / e["file"]
        at = e.get("time") or first["time"]
        stem = e["file"].split(".")[0]
        if e["kind"] == "snp-report":
            leaf = VECTORS / "sev-snp" / leaves[stem]
            want = {"valid": 0}.get(e["expect"]["verdict"], 4)
            got = judge(f"{e['file']} by default", 3, "--at", at, "--endorsement", leaf, path)
            report.check("crl" in got["check"], e["file"], f"check {got['check']}, wanted one about the CRL")
            got = judge(e["file"], want, "--at", at, "--policy", policy, "--endorsement", leaf, path)
            same(report, e["file"], got.get("claims", {}), snp_claims(e["expect"]))
            report.check(got["format"] == "snp" and got["root"] == "vendor", e["file"], f"{got['format']} {got['root']}")
            parts = bundle(judge.file(), "snp", report=path.read_bytes(), vcek=leaf.read_bytes())
            judge(f"{e['file']} as a bundle", want, "--at", at, "--policy", policy, parts)
            data = e["expect"]["report_data"]
            judge(f"{e['file']} with its report data", want, "--at", at, "--policy", policy, "--report-data", data, parts)
            judge(f"{e['file']} with another", 6, "--at", at, "--policy", policy, "--report-data", "17" + data[2:], parts)
            for other in leaves.values():
                if other != leaves[stem]:
                    judge(f"{e['file']} with {other}", (3, 4), "--at", at, "--policy", policy, "--endorsement",
                          VECTORS / "sev-snp" / other, path)
            judge(f"{e['file']} without a leaf", 3, "--at", at, "--policy", policy, path)
        elif e["kind"] == "snp-report-negative":
            codes = set()  # with a leaf of the other kind, there is none for it
            for leaf in leaves.values():
                codes.add(judge(f"{e['file']} with {leaf}", (3, 4), "--format", "snp", "--at", at, "--policy", policy,
                                "--endorsement", VECTORS / "sev-snp" / leaf, path)["code"])
            report.check(4 in codes, e["file"], f"codes {codes}")
        elif e["kind"] == "snp-extended-report-negative":
            judge(e["file"], 4, "--at", at, "--policy", policy, path)
            judge(e["file"] + " by default", 4, "--at", at, path)
            raw = path.read_bytes()
            parts = bundle(judge.file(), "snp", report=raw[:1184], certs=raw[1184:])
            judge(e["file"] + " as a bundle", 4, "--at", at, "--policy", policy, parts)
        elif e["kind"] == "cert-table":
            judge(f"a report with {e['file']}", (0, 3, 4), "--at", at, "--policy", policy, "--endorsement", path,
                  VECTORS / "sev-snp" / first["file"])
            run = atls("inspect", "--json", path)
            report.check(run.code == (0 if e["expect"].get("entries") else 4), e["file"], f"inspect: {run.code} {run.err}")
        elif e["kind"] == "cert-table-negative":
            raw = (VECTORS / "sev-snp" / first["file"]).read_bytes()
            parts = bundle(judge.file(), "snp", report=raw, certs=path.read_bytes())
            judge(e["file"], 4, "--at", at, "--policy", policy, parts)
        elif e["kind"] == "ca-chain":
            cas = VECTORS / "sev-snp" / e["file"]
            judge(f"{e['file']} is no root", 3, "--at", at, "--policy", policy, "--endorsement", cas,
                  VECTORS / "sev-snp" / first["file"])


# --- TPM ---

def tpm_claims(e):
    number = ("clock", "reset_count")
    out = {n: e[n] for n in number if n in e}
    out["qualifying_data"] = e["qualifying_data"]
    if "firmware_version" in e:
        out["firmware_version"] = int(e["firmware_version"], 16)
    return out


def tpm_swtpm(judge, entries):
    quotes = [e for e in entries if e["kind"] == "tpms-attest" and "files" in e["expect"]]
    parts_of = {}
    for e in quotes:
        sig, pcrs, ak = (next(f for f in e["expect"]["files"] if f.endswith(s)) for s in (".sig", ".pcrs", ".ak.tpm2b"))
        parts = {"quote": read("tpm", e["file"]), "signature": read("tpm", sig), "pcrs": read("tpm", pcrs),
                 "ak_public": read("tpm", ak)}
        parts_of[e["file"].rsplit(".", 1)[0]] = (parts, VECTORS / "tpm" / ak)
        path = bundle(judge.file(), "tpm", **parts)
        vouched = ("--endorsement", VECTORS / "tpm" / ak)
        got = judge(e["file"], 0, "--at", OLD, *vouched, path)
        same(judge.report, e["file"], got.get("claims", {}), tpm_claims(e["expect"]))
        for s in e["expect"]["pcr_selection"]:
            bank = got.get("claims", {}).get("pcrs", {}).get(s["bank"], {})
            judge.report.check(sorted(map(int, bank)) == s["pcrs"], e["file"], f"PCRs {sorted(bank)} of {s['bank']}")
        nonce = e["expect"]["qualifying_data"]
        judge(f"{e['file']} with its nonce", 0, "--at", OLD, *vouched, "--nonce", nonce, path)
        judge(f"{e['file']} with another", 6, "--at", OLD, *vouched, "--nonce", "17" + nonce[2:], path)
        judge(f"{e['file']} with half of it", 6, "--at", OLD, *vouched, "--nonce", nonce[:32], path)
        judge(f"{e['file']}, nobody vouches", 4, "--at", OLD, path)
        for other in quotes:
            if other is not e:
                ak2 = VECTORS / "tpm" / next(f for f in other["expect"]["files"] if f.endswith(".ak.tpm2b"))
                judge(f"{e['file']} with another's key", 4, "--at", OLD, "--endorsement", ak2, path)
    for e in entries:
        if e["kind"] == "tpm-negative":
            parts, ak = parts_of[e["expect"]["use_with"]]
            changed = "pcrs" if e["file"].endswith(".pcrs") else "quote"
            path = bundle(judge.file(), "tpm", **{**parts, changed: read("tpm", e["file"])})
            judge(e["file"], 4, "--at", OLD, "--endorsement", ak, path)


def tpm_gcp(judge, entries):
    cert = next(e for e in entries if e["kind"] == "ak-cert")
    anchor = VECTORS / "tpm" / cert["expect"]["verdict"].split()[2]
    public = next(e["file"] for e in entries if e["kind"] == "tpmt-public")
    log = next(e["file"] for e in entries if e["kind"] == "tcg-event-log" and "quoted" in e["expect"]["verdict"])
    for e in entries:
        if e["kind"] != "tpms-attest" or "bank" not in e["expect"]:
            continue
        stem = e["file"].rsplit(".", 1)[0]
        parts = {"quote": read("tpm", e["file"]), "signature": read("tpm", stem + ".sig"),
                 "pcrs": read("tpm", stem + ".pcrs"), "ak_cert": read("tpm", cert["file"])}
        path = bundle(judge.file(), "tpm", **parts)
        root = ("--root", f"google:{anchor}")
        got = judge(f"{e['file']} by certificate", 0, "--at", cert["time"], *root, "--nonce",
                    e["expect"]["qualifying_data"], path)
        judge.report.check(got["root"] == "custom", e["file"], f"root {got['root']}")
        bank = got.get("claims", {}).get("pcrs", {}).get(e["expect"]["bank"], {})
        judge.report.check(len(bank) == 24, e["file"], f"{len(bank)} PCRs of {e['expect']['bank']}")
        judge(f"{e['file']}, its CA unknown", (3, 4), "--at", cert["time"], path)
        judge(f"{e['file']}, its CA only endorsed", (3, 4), "--at", cert["time"], "--endorsement", anchor, path)
        judge(f"{e['file']}, a root of another family", (3, 4), "--at", cert["time"], "--root",
              f"aws:{VECTORS / 'nitro' / 'aws-nitro-root-g1.der'}", path)
        keyed = bundle(judge.file(), "tpm", **{**parts, "ak_cert": None, "ak_public": read("tpm", public)})
        judge(f"{e['file']} by key", 0, "--at", cert["time"], "--endorsement", VECTORS / "tpm" / public, keyed)
        logged = bundle(judge.file(), "tpm", **parts, event_log=read("tpm", log))
        got = judge(f"{e['file']} with its log", 0, "--at", cert["time"], *root, logged)
        replay = got.get("event_log", {})
        if e["expect"]["bank"] != "sha1":  # which makes no event believed
            judge.report.check(replay.get("replayed") and not replay.get("differs"), e["file"], f"log: {replay}")
        for e2 in entries:
            if e2["kind"] == "tcg-event-log-negative":
                cut = bundle(judge.file(), "tpm", **parts, event_log=read("tpm", e2["file"]))
                judge(e2["file"], 4, "--at", cert["time"], *root, cut)


def tpm_azure(judge, entries):
    policy = judge.policy("azure")
    for e in entries:
        if e["kind"] != "azure-hcl-report":
            continue
        stem = e["file"].split(".")[0]
        run = atls("inspect", "--json", VECTORS / "tpm" / e["file"])
        judge.report.check(run.code == 0 and "HCLAkPub" in run.out, e["file"], f"inspect: {run.code} {run.err}")
        if e["expect"]["verdict"] != "valid":
            continue  # no quote comes with it
        parts = {"quote": read("tpm", stem + ".msg"), "signature": read("tpm", stem + ".sig"),
                 "pcrs": read("tpm", stem + ".pcrs"), "hcl_report": read("tpm", e["file"]),
                 "vcek": read("tpm", stem + ".vcek.der")}
        path = bundle(judge.file(), "azure", **parts)
        at = ("--at", e["time"])
        # a leaf that is younger than the time of the manifest: as of a day after it
        leaf = next(x for x in entries if x["file"] == stem + ".vcek.der")["expect"]["not_before"]
        if leaf.replace(" ", "T") + "Z" > e["time"]:
            at = ("--at", OLD)
        got = judge(f"{stem} by default", 3, *at, path)
        judge.report.check("crl" in got["check"], stem, f"check {got['check']}")
        got = judge(stem, 0, *at, "--policy", policy, "--nonce", e["expect"]["quote_nonce"], path)
        claims = got.get("claims", {})
        same(judge.report, stem, claims.get("hardware", {}), {"measurement": e["expect"]["measurement"],
                                                              "version": e["expect"]["report_version"],
                                                              "policy": int(e["expect"]["policy"], 16)})
        judge.report.check(claims.get("qualifying_data") == e["expect"]["quote_nonce"], stem, "qualifying data")
        judge(f"{stem} with another nonce", 6, *at, "--policy", policy, "--nonce", "00", path)
        for other in entries:
            if other["kind"] == "azure-hcl-report" and other is not e:
                spliced = bundle(judge.file(), "azure", **{**parts, "hcl_report": read("tpm", other["file"])})
                judge(f"{stem} with the report of {other['file']}", 4, *at, "--policy", policy, spliced)


def tpm(judge):
    entries = manifest("tpm")
    tpm_swtpm(judge, entries)
    tpm_gcp(judge, entries)
    tpm_azure(judge, entries)


# --- Nitro ---

def nitro(judge):
    for e in manifest("nitro"):
        path, want = VECTORS / "nitro" / e["file"], e["expect"]
        if e["kind"] == "nitro-negative" or want.get("verdict") == "reject":
            judge(e["file"], 4, "--at", e["time"], path)
        elif e["kind"] == "nitro-document":
            got = judge(e["file"], 5 if want.get("debug_mode") else 0, "--at", e["time"], path)
            if "pcrs" not in want:
                continue
            same(judge.report, e["file"], got.get("claims", {}), {
                "module_id": want["module_id"], "timestamp": want["timestamp_ms"], "pcrs": want["pcrs"],
                "nonce": want["nonce"], "user_data": want["user_data"], "public_key": want["public_key"]})
            judge(f"{e['file']} today", 5 if want["debug_mode"] else 3, path)
            if want["nonce"] and not want["debug_mode"]:
                judge(f"{e['file']} with its nonce", 0, "--at", e["time"], "--nonce", want["nonce"], path)
                judge(f"{e['file']} with another", 6, "--at", e["time"], "--nonce", "00" + want["nonce"][2:], path)
            judge(f"{e['file']} as a bundle", 5 if want["debug_mode"] else 0, "--at", e["time"],
                  bundle(judge.file(), "nitro", document=path.read_bytes()))


# --- CCA ---

def cca(judge):
    entries = manifest("cca")
    anchors = [e for e in entries if e["kind"] == "cca-trust-anchor"]
    token = next(e for e in entries if e["kind"] == "cca-token")
    for e in entries:
        path = VECTORS / "cca" / e["file"]
        if e["kind"] in ("cca-token", "cca-negative"):
            good = e["expect"]["verdict"] == "valid"
            anchor = VECTORS / "cca" / e["expect"]["trust_anchor"]
            got = judge(e["file"], 0 if good else 4, "--at", OLD, "--endorsement", anchor, path)
            if good:
                judge(f"{e['file']}, nobody vouches", (3, 4), "--at", OLD, path)
                judge.report.check(got["root"] == "custom", e["file"], f"root {got['root']}")
                challenge = got["claims"]["challenge"]
                judge(f"{e['file']} with its challenge", 0, "--at", OLD, "--endorsement", anchor, "--nonce", challenge, path)
                judge(f"{e['file']} with another", 6, "--at", OLD, "--endorsement", anchor, "--nonce",
                      ("00" if challenge[:2] != "00" else "01") + challenge[2:], path)
                if "lifecycle" in e["expect"]:
                    same(judge.report, e["file"], got["claims"], {"lifecycle": e["expect"]["lifecycle"]})
        elif e["kind"] == "cca-trust-anchor" and e["expect"].get("verdict") == "reject":
            judge(e["file"], 4, "--at", OLD, "--endorsement", path, VECTORS / "cca" / token["file"])
    judge.report.check(len(anchors) >= 2, "cca", "too few trust anchors in the manifest")


# --- tokens ---

def jwt(judge):
    entries = manifest("jwt")
    jwk = VECTORS / "jwt" / next(e["file"] for e in entries if e["kind"] == "jwk")
    for e in entries:
        path, want = VECTORS / "jwt" / e["file"], e["expect"]
        if e["kind"] != "jwt":
            continue
        if want["verdict"].startswith("valid under") or want["verdict"].startswith("valid only"):
            got = judge(e["file"], 0, "--at", OLD, "--endorsement", jwk, path)
            same(judge.report, e["file"], got.get("claims", {}), want["claims"])
            judge(f"{e['file']} without its key", 3, "--at", OLD, path)
        elif want["verdict"] == "structure only":
            judge(e["file"], 3, "--at", "2022-12-23T12:00:00Z", path)
            judge(f"{e['file']} with another's key", 4, "--at", "2022-12-23T12:00:00Z", "--endorsement", jwk, path)
            run = atls("inspect", "--json", path)
            judge.report.check(run.code == 0 and "PS384" in run.out, e["file"], f"inspect: {run.code} {run.err}")
        else:
            policy = want.get("policy", {})
            args = ["--at", e["time"], "--endorsement", VECTORS / "jwt" / want["jwks"]]
            for flag, key in (("--issuer", "iss"), ("--audience", "aud"), ("--leeway", "leeway_s"), ("--nonce-text", "nonce")):
                if key in policy:
                    args += [flag, str(policy[key])]
            good = want["verdict"] == "valid"
            judge(e["file"], 0 if good else (4, 5, 6), *args, path)
            if good:
                judge(f"{e['file']} without keys", 3, "--at", e["time"], path)


# --- dstack ---

def dstack(judge):
    for e in manifest("dstack"):
        if "GetQuote response" not in e["kind"]:
            continue
        response = json.loads((VECTORS / "dstack" / e["file"]).read_text())
        quote = bytes.fromhex(response["quote"])
        want = e["expect"]
        parts = bundle(judge.file(), "tdx", quote=quote, event_log=response["event_log"].encode())
        got = judge(e["file"], 3, "--at", OLD, parts)  # no collateral comes with it
        claims = got.get("claims", {})
        same(judge.report, e["file"], claims, {n: want[n] for n in ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3") if n in want})
        log = got.get("event_log", {})
        judge.report.check(log.get("replayed") == [0, 1, 2, 3] and log.get("differs") == [], e["file"], f"log: {log}")
        events = {x["name"]: x.get("payload") for x in log.get("runtime_events", [])}
        for name, key in (("compose-hash", "compose_hash"), ("app-id", "app_id"), ("os-image-hash", "os_image_hash_event")):
            if key in want:
                judge.report.check(events.get(name) == want[key], e["file"], f"{name} is {events.get(name)}, wanted {want[key]}")
        changed = json.loads(response["event_log"])
        for entry in changed:
            if entry["event"] == "compose-hash":
                entry["event_payload"] = "17" + entry["event_payload"][2:]
                entry["digest"] = ""
        parts = bundle(judge.file(), "tdx", quote=quote, event_log=json.dumps(changed).encode())
        got = judge(f"{e['file']}, another compose hash", (3, 4), "--at", OLD, parts)
        log = got.get("event_log", {})
        judge.report.check(3 not in log.get("replayed", []), e["file"], f"a changed log replays: {log}")
        judge.report.check(not any(x["name"] == "compose-hash" for x in log.get("runtime_events", [])), e["file"],
                           "an event of a register that does not replay is told")


def main():
    if not VECTORS.is_dir():
        skip(f"no vectors at {VECTORS}")
    report = Report()
    with tempfile.TemporaryDirectory() as tmp:
        judge = Judge(report, tmp)
        for family in (snp, tpm, nitro, cca, jwt, dstack):
            before = report.good
            family(judge)
            report.check(report.good > before + 20, family.__name__, "hardly anything was judged")
    report.end()


if __name__ == "__main__":
    main()
