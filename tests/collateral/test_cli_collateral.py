#!/usr/bin/env python3
"""`atls collateral` as a person uses it: import, show, bundle, and verification with what is kept. The simulator's collateral; no network."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from cli import Report, atls  # noqa: E402
from test_connect import Backend, Server  # noqa: E402

report = Report()


def openssl_key(d, name):
    key, public = d / f"{name}.key", d / f"{name}.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    return key, public


def items(store, *more):
    run = atls("collateral", "show", "--store", store, *more, "--json")
    try:
        return run.code, json.loads(run.out)
    except ValueError:
        return run.code, {"items": [], "why": run.err}


def main():
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        pki, store, other = d / "pki", d / "store", d / "other"
        report.check(atls("sim", "pki", pki).code == 0, "atls sim pki")
        root = ("--insecure-sim-root", pki / "root.pem")
        quote = d / "quote"
        report.check(atls("sim", "evidence", "--pki", pki, "--tee", "tdx", "-o", quote).code == 0, "atls sim evidence")

        run = atls("collateral", "show", "--store", store)
        report.check(run.code == 2 and "store.absent" in run.err and not store.exists(), "show without a store", run.err)

        # Without the simulator's root nothing of it is taken, and nothing is written.
        run = atls("collateral", "import", "--store", store, pki / "collateral-tdx.json")
        report.check(run.code != 0 and items(store)[1]["items"] == [], "import under the vendors' roots", run.err)

        for tee in ("tdx", "sgx"):
            run = atls("collateral", "import", "--store", store, *root, pki / f"collateral-{tee}.json")
            report.check(run.code == 0 and "taken" in run.out, f"import of {tee}", f"{run.code} {run.out} {run.err}")
        code, shown = items(store, *root)
        keys = [i["key"] for i in shown["items"]]
        report.check(code == 0 and keys == sorted(keys) and "intel/qe/tdx" in keys and "intel/rootcrl" in keys
                     and any(k.startswith("intel/tcb/sgx/") for k in keys), "show", keys)
        report.check(all(i["simulated"] and i["source"] == "imported" and i["state"] == "good" and i["issued"].endswith("Z")
                         for i in shown["items"]), "what is shown of each", shown)
        run = atls("collateral", "show", "--store", store, *root)
        report.check(run.code == 0 and all(k[:20] in run.out for k in keys) and "no clock is right before" in run.out, "show for people", run.out)
        run = atls("collateral", "show", "--store", store, *root, "--at", "2099-01-01T00:00:00Z")
        report.check(run.code == 3, "show, long after", f"{run.code} {run.err}")

        # Judged with the store, or with a bundle of it; without either not.
        run = atls("verify", *root, "--json", quote)
        report.check(run.code == 3, "verify without collateral", run.out)
        run = atls("verify", *root, "--collateral", store, "--json", quote)
        report.check(run.code == 0 and json.loads(run.out)["accepted"], "verify with the store", run.out + run.err)
        run = atls("verify", "--collateral", store, "--json", quote)
        report.check(run.code == 4, "the store trusts what the verifier trusts", run.out + run.err)
        bundle = d / "all.bundle"
        run = atls("collateral", "bundle", "--store", store, *root, "--out", bundle)
        report.check(run.code == 0 and bundle.stat().st_size > 1000, "bundle", run.err)
        run = atls("verify", *root, "--collateral", bundle, "--json", quote)
        report.check(run.code == 0 and json.loads(run.out)["accepted"], "verify with the bundle", run.out + run.err)
        run = atls("verify", *root, "--collateral", bundle, "--json", "-", stdin=quote.read_bytes())
        report.check(run.code == 0, "and evidence from standard input", run.out + run.err)
        run = atls("collateral", "import", "--store", other, *root, bundle)
        report.check(run.code == 0, "import of the bundle", run.err)
        report.check([i["key"] for i in items(other, *root)[1]["items"]] == keys, "what the other store has then")
        run = atls("verify", *root, "--collateral", bundle, "--collateral", store, quote)
        report.check(run.code == 1 and "usage.collateral" in run.err, "a bundle beside a store", run.err)

        # The attester's side: what its store holds goes with the evidence.
        run = atls("attest", "--type", "sim", "--sim", pki, "--staple", d / "nowhere")
        report.check(run.code == 2 and "store.absent" in run.err, "attest --staple without a store", run.err)
        stapled = d / "stapled"
        run = atls("attest", "--type", "sim", "--sim", pki, "--tee", "tdx", "--staple", store, "-o", stapled)
        report.check(run.code == 0 and set(json.loads(stapled.read_text())) == {"atls_evidence", "type", "quote", "collateral"}, "attest --staple", run.err)
        run = atls("verify", *root, "--json", stapled)
        report.check(run.code == 0 and json.loads(run.out)["accepted"], "verify of what brings its collateral", run.out + run.err)
        backend = Backend()
        kept = d / "kept"
        report.check(atls("collateral", "import", "--store", kept, *root, pki / "collateral-sgx.json").code == 0, "a store without TDX's")
        for turn, staple in (("that staples nothing, unknown", ()), ("that staples", ("--staple", store)), ("that staples nothing, known", ())):
            with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx", *staple) as server:
                run = atls("connect", *root, "--collateral", kept, server.address, stdin=b"hello\n")
                report.check(run.code == (3 if "unknown" in turn else 0), f"connect to a server {turn}", f"{run.code} {run.err}")

        # An operator's signature.
        key, public = openssl_key(d, "operator")
        _, wrong = openssl_key(d, "stranger")
        signed = d / "signed.bundle"
        run = atls("collateral", "bundle", "--store", store, *root, "--sign", key, "--out", signed)
        report.check(run.code == 0, "signed bundle", run.err)
        third = d / "third"
        for what, signer, file, good in (("by whom it should", public, signed, True), ("by a stranger", wrong, signed, False),
                                         ("by nobody", public, bundle, False), ("no bundle at all", public, pki / "collateral-tdx.json", False)):
            store_n = d / f"store-{what.replace(' ', '-')}"
            run = atls("collateral", "import", "--store", store_n, *root, "--signer", signer, file)
            held = items(store_n, *root)[1]["items"]
            report.check((run.code == 0) == good and (len(held) == len(keys)) == good and (good or held == []), f"signed {what}", f"{run.code} {run.err}")
        whole = signed.read_bytes()
        for at in (0, 9, 40, len(whole) // 2, len(whole) - 1):
            broken = d / "broken.bundle"
            broken.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            run = atls("collateral", "import", "--store", third, *root, broken)
            report.check(run.code in (3, 4) and items(third, *root)[1]["items"] == [], f"byte {at} of a bundle changed", f"{run.code} {run.err}")

        # Times: a bundle is judged as of when it is used.
        run = atls("verify", *root, "--collateral", bundle, "--at", "2099-01-01T00:00:00Z", quote)
        report.check(run.code == 3, "a bundle long after", f"{run.code} {run.err}")
        run = atls("verify", *root, "--collateral", store, "--fetch", "--offline", quote)
        report.check(run.code == 1 and "usage.fetch" in run.err, "--fetch with --offline", run.err)
        run = atls("verify", *root, "--collateral", store, "--fetch", "--at", "2025-01-01T00:00:00Z", quote)
        report.check(run.code == 1 and "usage.fetch" in run.err, "--fetch with --at", run.err)
        for words in (("fetch", "--fmspc", "zz"), ("fetch", "--tee", "snp"), ("early",), ("early", "--tee", "x"), ("import",), ("show", "x"), ("nothing",)):
            run = atls("collateral", *words)
            report.check(run.code == 1 and "usage." in run.err, f"atls collateral {' '.join(words)}", f"{run.code} {run.err}")
        for words in ((), ("fetch",), ("show",), ("bundle",), ("import",), ("early",)):
            run = atls("collateral", *words, "--help")
            report.check(run.code == 0 and "usage: atls collateral" in run.out, f"atls collateral {' '.join(words)} --help", run.err)
    report.end()


if __name__ == "__main__":
    main()
