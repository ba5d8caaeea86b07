#!/usr/bin/env python3
"""Every quote of vectors/dcap through `atls verify --json`: verdict, code, TCB status, advisories, dates and fields as the
manifest says, which has them from Intel's own library. Nothing here knows a file name."""
import collections
import concurrent.futures
import json

from cli import VECTORS, Report, atls, skip

DCAP = VECTORS / "dcap"
KINDS = ("dcap-quote", "dcap-quote-synthetic")

# What Intel's library calls an error, and the code that the contract gives it: everything is 4, except that no fitting
# level is 5 and what is missing or out of its time is 3.
POLICY_ERRORS = {"TCB_NOT_SUPPORTED"}
# Certification data of types 1 to 4 is a quote without its chain: the PCK certificate is missing.
MISSING_ERRORS = {"UNSUPPORTED_QE_CERTIFICATION_DATA_TYPE"}

# A check of one of these families must have failed. Words of Intel's error -> words of our check ids.
AREAS = (
    ("INVALID_QE_REPORT_SIGNATURE", ("qe_report.signature",)),
    ("INVALID_QUOTE_SIGNATURE", ("quote.signature",)),
    ("SIGNATURE", (".signature",)),
    ("REVOKED", ("crl",)),
    ("CRL", ("crl",)),
)


def claims_of(fields):
    """The members of `claims` that the manifest's fields fix."""
    same = ("mrenclave", "mrsigner", "isvprodid", "isvsvn", "attributes", "miscselect", "configid", "configsvn",
            "report_data", "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrseam", "mrsignerseam", "mrconfigid", "mrowner",
            "mrownerconfig", "td_attributes", "xfam", "tee_tcb_svn", "mrservicetd")
    return {name: fields[name] for name in same if name in fields}


def expected_code(v):
    """The code of the contract for one entry."""
    e = v["expect"]
    if e["verdict"] == "error":
        return 5 if e["error"] in POLICY_ERRORS else 3 if e["error"] in MISSING_ERRORS else 4
    objections = v.get("attribute_policy") or []
    if e["status"] == "Revoked":
        return 5
    if any(o != "not_yet_valid" for o in objections) or e["status"] != "UpToDate":
        return 5
    if e["verdict"] == "expired" or "not_yet_valid" in objections or v.get("project"):
        return 3
    return 0


def judge(v):
    args = ["verify", "--json", "--at", v["time"], "--collateral", DCAP / v["collateral"]]
    if v["root"] != "intel":
        args += ["--root", f"intel:{DCAP / v['root']}"]
    return v, atls(*args, DCAP / v["file"])


def check_entry(report, v, run):
    e, name = v["expect"], f"{v['file']} + {v['collateral']}"
    if not report.check(run.out.count("\n") == 1 and run.out.startswith("{"), name, f"no single object: {run.out!r} {run.err}"):
        return
    got = run.json
    want = expected_code(v)
    report.check(got["code"] == run.code, name, f"exit status {run.code}, code {got['code']}")
    report.check(got["code"] == want, name, f"code {got['code']} ({got['check']}: {got['message']}), wanted {want}: {e}")
    report.check(got["accepted"] == (want == 0), name, f"accepted {got['accepted']}")
    report.check(got["format"] == "unknown" or got["root"] == ("vendor" if v["root"] == "intel" else "custom"), name,
                 f"root {got['root']}")
    failed = [c["id"] for c in got["checks"] if c["result"] == "fail"]
    report.check((got["check"] in failed) if want else (got["check"] == "" and not failed), name, f"check {got['check']} of {failed}")
    tcb = got.get("tcb", {})
    if e["verdict"] != "error":
        report.check(tcb.get("status") == e["status"], name, f"status {tcb.get('status')}, wanted {e['status']}")
        report.check(sorted(tcb.get("advisories", [])) == sorted(e["advisory_ids"]), name, f"advisories {tcb.get('advisories')}")
        if e.get("platform_level"):
            report.check(tcb.get("date") == e["platform_level"]["tcbDate"], name, f"date {tcb.get('date')}")
        if e.get("earliest_expiration"):
            report.check(tcb.get("collateral_earliest_expiration") == e["earliest_expiration"], name,
                         f"earliest expiration {tcb.get('collateral_earliest_expiration')}, wanted {e['earliest_expiration']}")
        for member, value in claims_of(v["fields"]).items():
            report.check(got["claims"].get(member) == value, name, f"{member} {got['claims'].get(member)}, wanted {value}")
        wrong_time = e["verdict"] == "expired" or "not_yet_valid" in (v.get("attribute_policy") or [])
        report.check(not wrong_time or any(c["result"] == "fail" and c.get("code") == 3 for c in got["checks"]), name,
                     f"nothing is out of its time: {failed}")
    else:
        report.check("status" not in tcb, name, f"a status beside an error: {tcb}")
        for words, ids in AREAS:
            if words in e["error"]:
                report.check(any(i in f for f in failed for i in ids), name, f"{e['error']} shows as {failed}")
                break


def main():
    manifest = DCAP / "MANIFEST.json"
    if not manifest.is_file():
        skip(f"no vectors at {DCAP} (ATLS_VECTORS says where they are)")
    vectors = [v for v in json.loads(manifest.read_text(encoding="utf-8"))["vectors"] if v["kind"] in KINDS]
    report = Report()
    report.check(len(vectors) > 100, "manifest", f"only {len(vectors)} quotes")
    codes = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for v, run in pool.map(judge, vectors):
            check_entry(report, v, run)
            codes[run.code] += 1
    print(f"{len(vectors)} quotes; codes {dict(sorted(codes.items()))}")
    report.end()


if __name__ == "__main__":
    main()
