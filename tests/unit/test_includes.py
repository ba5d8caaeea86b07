#!/usr/bin/env python3
"""The include rules of docs/architecture.md, read from the includes themselves.

A file of src/ may include its own folder, a folder of a lower floor, <atls/...> and the system's headers; apps/ and
examples/ see the public headers only; a public header includes public and system headers only.
"""
import os
import pathlib
import re
import sys
import tempfile

TREE = pathlib.Path(os.environ.get("ATLS_SOURCE_ROOT", pathlib.Path(__file__).resolve().parents[2]))
ROOT = TREE  # the self-test looks at a tree of its own

FLOOR = {
    "base": 1,
    "crypto": 2, "claims": 2,
    "codec": 3,
    "trust": 4, "binding": 4, "policy": 4,
    "evidence": 5, "sim": 5,
    "attest": 6, "verify": 6,
    "store": 7, "net": 7, "audit": 7,
    "channel": 8,
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)

# What only some rooms may call (design: one room owns a duty). Folder names under src/.
ONLY = {
    "jansson.h": {"codec", "trust", "policy", "verify", "sim", "binding", "evidence", "claims", "attest", "store", "net"},
    "cbor.h": {"codec", "binding", "evidence"},
    "openssl/ssl.h": {"channel", "binding"},
}
# OpenSSL's primitives belong to src/crypto. Others use what carries a connection or makes keys (channel, binding, sim),
# or base64 (codec); the rooms that judge have CRYPTO_memcmp and OPENSSL_cleanse only.
OPENSSL_ROOMS = {"crypto", "binding", "channel", "sim", "codec", "net", "attest"}
# Rooms that open no file and no socket and read no clock.
PURE = {"base", "crypto", "claims", "codec", "trust", "binding", "policy", "evidence", "verify"}
IMPURE_HEADERS = re.compile(r"^(sys/socket|sys/stat|netinet/.*|netdb|fcntl|unistd|dirent|poll|sys/time)\.h$")
CLOCK_CALL = re.compile(r"(?<![\w.>])(time|clock_gettime|gettimeofday|fopen|open|socket|getenv)\s*\(")


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', lambda m: m.group() if "/" in m.group() or ".h" in m.group() else '""', text)


def sources(top):
    return sorted(p for p in (ROOT / top).rglob("*.[ch]")) if (ROOT / top).is_dir() else []


def check_src(path, wrong):
    room = path.relative_to(ROOT / "src").parts[0]
    if room not in FLOOR:
        wrong(path, f"src/{room} has no floor")
        return
    text = strip_comments(path.read_text(encoding="utf-8"))
    for kind, name in INCLUDE.findall(text):
        first = name.split("/")[0]
        if kind == '"':
            if not (ROOT / "src" / name).is_file():
                wrong(path, f'"{name}" is not a file under src/ (write the path from there)')
            elif first != room and FLOOR.get(first, 99) >= FLOOR[room]:
                wrong(path, f'"{name}" is on floor {FLOOR.get(first)}, not below {FLOOR[room]}')
        else:
            if first in FLOOR and (ROOT / "src" / name).is_file():
                wrong(path, f"<{name}> is our own: write it with quotes")
            if first == "atls" and not (ROOT / "include" / name).is_file():
                wrong(path, f"<{name}> is not a public header")
            if name in ONLY and room not in ONLY[name]:
                wrong(path, f"<{name}> is for {', '.join(sorted(ONLY[name]))} only")
            if first == "openssl" and name != "openssl/crypto.h" and room not in OPENSSL_ROOMS:
                wrong(path, f"<{name}>: src/{room} goes through src/crypto")
            if room in PURE and IMPURE_HEADERS.match(name):
                wrong(path, f"<{name}>: src/{room} opens no file or socket")
    if room in PURE:
        for number, line in enumerate(text.split("\n"), 1):
            call = CLOCK_CALL.search(line)
            if call and not line.lstrip().startswith("#"):
                wrong(path, f"line {number}: {call.group(1)}(): src/{room} reads no clock, file or environment")


def check_public(path, wrong):
    for kind, name in INCLUDE.findall(strip_comments(path.read_text(encoding="utf-8"))):
        if kind == '"':
            wrong(path, f'"{name}": a public header has no private ones')
        elif name.startswith("atls/") and not (ROOT / "include" / name).is_file():
            wrong(path, f"<{name}> is not a public header")


def check_user(path, wrong):
    for kind, name in INCLUDE.findall(strip_comments(path.read_text(encoding="utf-8"))):
        if kind == '"' and not (path.parent / name).is_file():
            wrong(path, f'"{name}": only headers beside it, <atls/...>, OpenSSL\'s and the system\'s')
        elif kind == "<" and name.startswith("atls/") and not (ROOT / "include" / name).is_file():
            wrong(path, f"<{name}> is not a public header")
        elif kind == "<" and name in ("jansson.h", "cbor.h"):
            wrong(path, f"<{name}>: the public API suffices, or is added to")


def check_tree(root):
    """All violations, as "file: why", and the number of files seen."""
    global ROOT
    ROOT = root
    found = []

    def wrong(path, why):
        found.append(f"{path.relative_to(ROOT)}: {why}")

    count = 0
    for top, check in (("src", check_src), ("include", check_public), ("apps", check_user),
                       ("examples", check_user)):
        for path in sources(top):
            check(path, wrong)
            count += 1
    return found, count


WRONG = {  # a file and what it must be blamed for; the same lines inside comments are harmless
    "src/base/up.c": ('#include "trust/x.h"', "floor"),
    "src/trust/sideways.c": ('#include "policy/x.h"', "floor"),
    "src/trust/private.c": ("#include <atls/none.h>", "public header"),
    "src/attic/x.c": ("int x;", "no floor"),
    "src/verify/clock.c": ("long f(void) { return time(0); }", "reads no clock"),
    "src/trust/file.c": ("#include <fcntl.h>", "opens no file"),
    "src/crypto/json.c": ("#include <jansson.h>", "only"),
    "src/verify/primitive.c": ("#include <openssl/evp.h>", "goes through"),
    "include/atls/x.h": ('#include "base/x.h"', "private"),
    "apps/atls/x.c": ('#include "base/x.h"', "only headers beside it"),
}


def self_test():
    """Names what this test would miss; empty when it notices every kind of violation."""
    missed = []
    for name, (line, blame) in WRONG.items():
        for text, want in ((line, True), (f"/* {line} */", blame == "no floor")):
            with tempfile.TemporaryDirectory() as tmp:
                root = pathlib.Path(tmp)
                for other in (name, "src/trust/x.h", "src/policy/x.h", "src/base/x.h"):
                    (root / other).parent.mkdir(parents=True, exist_ok=True)
                    (root / other).write_text("", encoding="utf-8")
                (root / name).write_text(text + "\n", encoding="utf-8")
                found, _ = check_tree(root)
                if want != any(f.startswith(name) and blame in f for f in found):
                    missed.append(f"self-test: {name} with {text!r}: {found}")
    return missed


def main():
    found = self_test()
    violations, count = check_tree(TREE)
    found += violations
    for line in found:
        print(line)
    if count < 20:
        print(f"only {count} files found under {TREE}: wrong place?")
        return 1
    print(f"{count} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
