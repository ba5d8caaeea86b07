#!/usr/bin/env python3
"""`atls policy convert`: every language, there and back. A language adds itself to THEIRS."""
import json
import sys

from cli import Report, atls

H32 = "07a2388c7a6a1b6a646d443f1517990a4ec294471d63146cda9d56972765051d"
H48 = "0f787c3877f3e95095d5a4d13dd0fe0233803b30120d8469866719dc28f519ce021fe1e53459121e7a5a4443147185a8"
BOOT = {"mrtd": H48, "rtmr0": H48, "rtmr1": H48, "rtmr2": H48}
COMPOSE = {"runner": "docker-compose", "docker_compose_file": "services: {}", "name": "demo"}
COMPOSE_HASH = "ed83a3dd42d81bd7383a13e0853969769966a0af61d6282de80d693f8a8ccf34"
APP = "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2d"

# language, a policy of it, texts that ours must have, what makes it unknown to it
THEIRS = [
    ("atlas", {"type": "dstack_tdx", "expected_bootchain": BOOT, "os_image_hash": H32, "app_compose": COMPOSE,
               "allowed_tcb_status": ["UpToDate", "OutOfDate"], "grace_period": 864000},
     [COMPOSE_HASH, H32, H48, '"grace_days": 10'], {"grace_perod": 1}),
    ("dstack", {"osImages": ["0x" + H32], "bootchain": [BOOT], "allowedTcbStatuses": ["UpToDate"], "allowedAdvisoryIds": [],
                "apps": {APP: {"composeHashes": ["0x" + COMPOSE_HASH], "devices": [], "allowAnyDevice": True}}},
     [COMPOSE_HASH, H32, H48, APP[2:]], {"allowAnyApp": True}),
    ("constellation", {"4": {"expected": H32, "warnOnly": False}, "9": {"expected": H32, "warnOnly": False}}, ["sha256", H32],
     {"99": {"expected": H32, "warnOnly": False}}),
    ("flashbots", {"measurement_id": "dcap-tdx-demo", "attestation_type": "dcap-tdx",
                   "measurements": {"0": {"expected": H48}, "4": {"expected_any": [H48, "00" * 48]}}},
     ["dcap-tdx-demo", "mrtd", "rtmr3", H48, '"flashbots"'], {"measurments": {}}),
    ("flashbots", [{"measurement_id": "azure-demo", "attestation_type": "azure-tdx", "measurements": {"PCR4": {"expected": H32}}}],
     ["azure-demo", "sha256", H32, '"azure"'], [{"attestation_type": "none"}]),
]


def convert(way, language, document):
    return atls("policy", "convert", way, language, "-", stdin=document.encode())


def main():
    c = Report()
    for language, theirs, wanted, unknown in THEIRS:
        ours = convert("--from", language, json.dumps(theirs))
        c.check(ours.code == 0, f"{language} is read", ours.err)
        for text in wanted:
            c.check(text in ours.out, f"{language}: {text[:20]} is there", ours.out)
        c.check(atls("policy", "check", "-", stdin=ours.out.encode()).code == 0, f"{language}: what is made is a policy")
        back = convert("--to", language, ours.out)
        c.check(back.code == 0, f"{language} is written", back.err)
        again = convert("--from", language, back.out)
        c.check(again.code == 0 and again.out == ours.out, f"{language}: the same after a round trip", again.err + again.out)
        odd = convert("--from", language, json.dumps({**theirs, **unknown}) if isinstance(theirs, dict) else json.dumps(unknown))
        c.check(odd.code == 1 and odd.out == "" and "convert." in odd.err, f"{language}: what is not known is refused", odd.err)
        named = json.loads(ours.out)
        named["workloads"] = named["workloads"][:1]
        named["workloads"][0]["pki"] = {"names": ["a.example"]}
        lossy = convert("--to", language, json.dumps(named))
        c.check(lossy.code == 1 and "convert.lossy" in lossy.err, f"{language}: a name by PKI cannot be said", lossy.err)
    c.check(convert("--from", "rego", "{}").code == 1, "a language that is not known")
    c.check(atls("policy", "convert", "--from", "atlas", "--to", "atlas", "-").code == 1, "both ways at once")
    c.check(atls("policy", "convert", "-").code == 1, "neither way")
    help_text = atls("policy", "convert", "--help")
    c.check(help_text.code == 0 and "--from" in help_text.out, "help", help_text.out)
    c.end()


if __name__ == "__main__":
    sys.exit(main())
