#!/usr/bin/env python3
"""`atls collateral early`: a TCB recovery of the simulated vendor's, published in its early channel, seen by quotes and by FMSPC."""
import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from cli import ATLS, Report, atls  # noqa: E402
from answers import of_directory, renewed_world  # noqa: E402
from origin import Origin  # noqa: E402

FMSPC = "53494d000000"
report = Report()


def early(store, root, *args):
    run = atls("collateral", "early", "--store", store, *root, *args)
    if "--json" not in args:
        return run, None
    try:
        return run, json.loads(run.out)
    except ValueError:
        report.check(False, f"early {args}", run.out + run.err)
        return run, {"platforms": []}


def quote_of(pki, path, *args):
    run = atls("sim", "evidence", "--pki", pki, *args, "-o", path)
    report.check(run.code == 0, f"a quote {args}", run.err)
    return path


def files_of(told):
    return [pathlib.Path(p["file"]).name for p in told["platforms"]]


def will_fail(d, pki, root, answers):
    """A recovery is coming: what each operand is told."""
    quotes = d / "quotes"
    quotes.mkdir()
    tdx = quote_of(pki, quotes / "a-tdx", "--tee", "tdx")
    shutil.copy(tdx, quotes / "b-the-same")
    quote_of(pki, quotes / "c-of-the-same-machine", "--tee", "tdx")
    quote_of(pki, quotes / "d-sgx", "--tee", "sgx")
    quote_of(pki, quotes / "e-old", "--tee", "tdx", "--tcb", "OutOfDate")
    named = quote_of(pki, d / "named", "--tee", "tdx", "--fault", "quote.type_3")
    (quotes / "README.txt").write_text("no quote")
    (quotes / "directory").mkdir()
    (quotes / ".hidden").write_bytes(tdx.read_bytes())
    store = d / "store"

    run, _ = early(store, root, tdx)
    report.check(run.code == 2 and "store.absent" in run.err, "without a store", run.err)
    report.check(atls("collateral", "import", "--store", store, *root, pki / "collateral-tdx.json").code == 0, "import")
    for args in ((tdx,), ("--fmspc", FMSPC), (quotes,)):
        run, _ = early(store, root, *args)
        report.check(run.code == 3 and "[outlook.missing]" in run.err and "/early" in run.err, f"no early data for {args}", f"{run.code} {run.err}")
    run, told = early(store, root, "--json", tdx)
    report.check(run.code == 3 and told["code"] == 3 and told["platforms"] == [], "no early data, in JSON", run.out)

    with Origin({"": answers}, tls=True) as origin:
        to = ("--origin", f"pccs={origin.url}", "--fetch-option", f"ca={origin.ca}")
        fetched = d / "fetched"
        run, told = early(fetched, root, *to, "--json", quotes)
        report.check(run.code == 5 and told["code"] == 5 and told["failing"] == 3, "a directory", run.out + run.err)
        report.check(files_of(told) == ["a-tdx", "d-sgx", "e-old"], "each case once", files_of(told))
        report.check(run.err.count("passed over") == 2 and "README.txt" in run.err, "what is no quote", run.err)
        report.check(origin.requests() == 8, "today's data and the early ones of two TEEs", origin.requests())
        run, told = early(fetched, root, *to, "--json", named)
        report.check(run.code == 5 and told["failing"] == 1, "a quote that only names its platform", run.out + run.err)
    run, told = early(fetched, root, "--json", named)
    report.check(run.code == 5 and told["failing"] == 1, "and again, from the store", run.out + run.err)

    run, told = early(fetched, root, "--json", tdx)
    got = told["platforms"][0]
    report.check(run.code == 5 and (got["tee"], got["fmspc"], got["now"], got["early"]) == ("tdx", FMSPC, "UpToDate", "OutOfDate")
                 and len(got["platform"]) == 32 and (got["now_number"], got["early_number"]) == (17, 18) and got["will_fail"] is True
                 and got["advisories"].split()[0] == "SIM-SA-00100", "one quote, from the store", got)
    short = {s["component"]: s for s in got["shortfalls"]}
    report.check(short["TDX module ISV SVN"]["is"] == 5 and short["TDX module ISV SVN"]["needs"] == 6, "the module's", short)
    report.check(all(s["is"] < s["needs"] and s["remedy"] for s in got["shortfalls"]) and len(short) == 3, "all shortfalls", short)
    run, _ = early(fetched, root, tdx)
    for line in ("WILL FAIL  tdx 53494d000000  platform ", "today UpToDate (data 17), early OutOfDate (data 18)", "today's data stand until ",
                 "TDX module ISV SVN is 5, needs 6: update the SEAM module", "SGX component 1 (BIOS, Early Microcode Update) is 17, needs 18: update the BIOS",
                 "TDX component 3 (OS/VMM, TDX Late Microcode Update) is 9, needs 10: load newer microcode", "SIM-SA-00100", "1 of 1 platform will fail"):
        report.check(line in run.out, f"text: {line}", run.out)
    run, _ = early(fetched, root, quotes / "e-old")
    report.check(run.code == 5 and run.out.startswith("FAILS NOW") and "stand until" not in run.out, "what fails today already", run.out)
    for tee in ("tdx", "sgx"):
        run, told = early(fetched, root, "--tee", tee, "--fmspc", FMSPC, "--json")
        report.check(run.code == 5 and told["platforms"][0]["tee"] == tee and told["platforms"][0]["platform"] == "", f"a kind of platform, {tee}", run.out)
    run, _ = early(fetched, root, "--fmspc", "12")
    report.check(run.code == 1 and "outlook.fmspc" in run.err, "no FMSPC", run.err)
    run, _ = early(fetched, root, quotes / "README.txt")
    report.check(run.code == 4 and "outlook.evidence" in run.err, "one file that is no quote", f"{run.code} {run.err}")
    return quotes


def stays(d, pki, root, answers, quotes):
    """Early data without a recovery: nothing to do."""
    (quotes / "e-old").unlink()
    with Origin({"": answers}, tls=True) as origin:
        to = ("--origin", f"intel={origin.url}", "--fetch-option", f"ca={origin.ca}")
        run, told = early(d / "quiet", root, *to, "--json", quotes)
        report.check(run.code == 0 and told["failing"] == 0 and told["code"] == 0 and files_of(told) == ["a-tdx", "d-sgx"], "all stay", run.out + run.err)
    run, _ = early(d / "quiet", root, quotes)
    report.check(run.code == 0 and run.out.count("stays ") == 2 and run.out.endswith("0 of 2 platforms will fail\n"), "all stay, as text", run.out)


def main():
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        os.environ["ATLS_STORE"] = str(d / "own")
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "atls sim pki")
        root = ("--insecure-sim-root", pki / "root.pem")
        coming = renewed_world(ATLS, pki, d / "coming", 18, change="recovery")
        same = renewed_world(ATLS, pki, d / "same", 18)
        quotes = will_fail(d, pki, root, of_directory(pki).add_intel(coming, update="update=early"))
        stays(d, pki, root, of_directory(pki).add_intel(same, update="update=early"), quotes)
    report.end()


if __name__ == "__main__":
    main()
