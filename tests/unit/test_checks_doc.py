#!/usr/bin/env python3
"""docs/checks.md is complete and true: every check id in library and program stands there, every id there is in one of
them, and at least one test names it.

An id is a string constant of dotted lower-case words. They are read from the object files (ELF), where macros have
done their work."""
import os
import re
import struct
import sys

ROOT = os.environ["ATLS_SOURCE_ROOT"]
BUILD = os.environ["ATLS_BUILD_ROOT"]
ID = rb"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+"

# Files whose constants have that shape and are no checks: prefixes of ids, names of faults, JSON paths.
NO_CHECKS_IN = ("verify_remedy.c.o", "policy_diff.c.o", "sim_fault_table.c.o", "sim_cca.c.o", "sim_cca_faults.c.o", "sim_nitro.c.o",
                "sim_nitro_faults.c.o", "sim_tpm.c.o", "sim_tpm_faults.c.o", "sim_tpm_quote.c.o",
                "sim_jwt_faults.c.o", "sim_log.c.o", "sim_log_form.c.o")
# Constants of that shape that need no line: why.
EXCUSED = {
    "api.trustedservices.intel.com": "a host",
    "ear.status": "a claim of a token",
    "kdsintf.amd.com": "a host",
    "root.pem": "a file",
    "state.json": "a file",
    "tcb.recognized": "never reached: the parser of TCB info takes no unknown status",
    "tdx_module.level": "never reached: tdx_module.identity has failed before",
    "text.signature": "of a ledger that nobody sees: src/trust/intel_snapshot.c tries texts until one fits",
}


# Parts that a build may lack: ids with the prefix are raised if this object was made.
OPTIONAL = {"attest.tpm.": "attest_tpm.c.o", "attest.azure.": "attest_tpm_azure.c.o"}
NO_CHECKS_IN += ("sim_snp_tpm.c.o", "sim_snp_tpm_faults.c.o", "sim_snp_faults.c.o", "sim_azure.c.o", "sim_azure_faults.c.o", "sim_azure_hcl.c.o")


def constants(data):
    """The bytes of the read-only data sections of a 64-bit ELF file."""
    at, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", data, at + i * size) for i in range(count)]
    table = sections[names][4]
    out = b""
    for name, kind, _, _, offset, length in sections:
        label = data[table + name:data.index(b"\0", table + name)]
        if label.startswith(b".rodata") and kind == 1:
            out += b"\0" + data[offset:offset + length] + b"\0"
    return out


def objects():
    """Those of the library, and of the program (the only executable whose objects come from apps/)."""
    for folder, _, names in os.walk(BUILD):
        top = os.path.relpath(folder, BUILD)
        if top == os.path.join("src", "libatls-internal.a.p") or os.path.basename(folder) == "atls.p":
            for name in sorted(names):
                if name.endswith(".o") and name not in NO_CHECKS_IN:
                    yield os.path.join(folder, name)


def of_objects():
    found = {}
    for path in objects():
        with open(path, "rb") as f:
            data = constants(f.read())
        for m in re.finditer(rb"(?<=\0)(" + ID + rb")(?=\0)", data):
            word = m.group(1).decode()
            if not word.startswith("switch.table."):  # the sanitizer's word for a table that clang made
                found.setdefault(word, os.path.basename(path))
    return found


def of_page():
    """Ids, and those among them that say only that our own side failed (code 2), which no test can bring about."""
    ids, own = [], []
    with open(os.path.join(ROOT, "docs", "checks.md"), encoding="utf-8") as f:
        for line in f:
            cells = line.split("|")
            if line.startswith("| `") and len(cells) >= 5:
                row = re.findall(r"`([^`]+)`", cells[1])
                ids += row
                own += row if cells[2].strip() == "2" else []
    return ids, own


def of_tests():
    """Every word of that shape in the tests."""
    words = set()
    for top in ("tests", "fuzz"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".c", ".h", ".py", ".sh")) and name != os.path.basename(__file__):
                    with open(os.path.join(folder, name), "rb") as f:
                        words |= set(re.findall(ID, f.read()))
    return {w.decode() for w in words}


def main():
    raised, (page, own), tests = of_objects(), of_page(), of_tests()
    wrong = []
    for i in sorted(set(raised) - set(page) - set(EXCUSED)):
        wrong.append(f"{i} ({raised[i]}) is not in docs/checks.md")
    built = {os.path.basename(path) for path in objects()}
    lacking = tuple(prefix for prefix, name in OPTIONAL.items() if name not in built)
    for i in sorted(i for i in set(page) - set(raised) if not i.startswith(lacking)):
        wrong.append(f"{i} in docs/checks.md is raised nowhere")
    for i in sorted({i for i in page if page.count(i) > 1}):
        wrong.append(f"{i} stands in docs/checks.md more than once")
    for i in sorted(set(page) & set(raised) - set(own)):
        if i not in tests:
            wrong.append(f"{i} is named by no test")
    print("\n".join(wrong) if wrong else f"{len(raised)} checks")
    return 1 if wrong or not raised else 0


if __name__ == "__main__":
    sys.exit(main())
