#!/usr/bin/env python3
"""A second implementation of what docs/atls-1.md says, from the page alone: it computes the vectors of section 14 with
nothing but hashlib and hmac. Only Ed25519 signatures are taken as they stand (the C test makes them anew)."""
import hashlib
import hmac
import os
import re
import struct
import sys

ROOT = os.environ.get("ATLS_SOURCE_ROOT", os.path.join(os.path.dirname(__file__), "..", ".."))
with open(os.path.join(ROOT, "docs", "atls-1.md"), encoding="utf-8") as page:
    FOUND = {name: bytes.fromhex(body.replace("\n", ""))
             for name, body in re.findall(r"^```vector (\S+)\n(.*?)^```$", page.read(), re.S | re.M)}
USED = set()
HASH, HLEN = hashlib.sha384, 48
SECRET = bytes(range(HLEN))


def check(name, value):
    USED.add(name)
    if FOUND.get(name) != value:
        sys.exit(f"{name}: the page has {FOUND.get(name, b'').hex()}, computed is {value.hex()}")


def u(width, value):
    return value.to_bytes(width, "big")


def expand_label(secret, label, context, length):
    label = b"tls13 " + label
    info = u(2, length) + u(1, len(label)) + label + u(1, len(context)) + context
    out, block = b"", b""
    for i in range(1, length // HLEN + 2):
        block = hmac.new(secret, block + info + u(1, i), HASH).digest()
        out += block
    return out[:length]


def exporter(label, context, length):
    secret = expand_label(SECRET, label.encode(), HASH(b"").digest(), HLEN)
    return expand_label(secret, b"exporter", HASH(context).digest(), length)


def message(kind, body):
    return u(1, kind) + u(3, len(body)) + body


def cbor(value):
    def head(major, n):
        for limit, extra in ((24, None), (1 << 8, 24), (1 << 16, 25), (1 << 32, 26), (1 << 64, 27)):
            if n < limit:
                return u(1, major * 32 + n) if extra is None else u(1, major * 32 + extra) + u(1 << (extra - 24), n)
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(sorted(cbor(k) + cbor(v) for k, v in value.items()))


def payload(members):
    return cbor(["application/vnd.atls.evidence+cbor", cbor(members), 4])


def spki_of(certificate):
    return certificate[certificate.index(bytes.fromhex("302a300506032b6570032100")):][:44]


def side(name, role, kind, first):
    """role is the attester's; the other side asks."""
    context = u(1, 1 - role) + u(4, 0) + bytes(range(first, first + 27))
    schemes = b"".join(u(2, s) for s in (0x0403, 0x0503, 0x0807, 0x0804))
    extensions = u(2, 13) + u(2, 2 + len(schemes)) + u(2, len(schemes)) + schemes + bytes.fromhex("ff000000")
    request = message(kind, u(1, 32) + context + u(2, len(extensions)) + extensions)
    certificate = FOUND[f"certificate.{name}"]
    USED.add(f"certificate.{name}")
    binder = HASH(spki_of(certificate) + exporter("Attestation", context, 32)).digest()
    leaf = hashlib.sha256(b"\0" + u(1, role) + binder).digest()
    check(f"context_for.{name}", context)
    check(f"request_to.{name}", request)
    check(f"binder.{name}", binder)
    check(f"report_data.{name}", hashlib.sha512(b"atls/1 report data\0" + u(1, role) + binder).digest())
    check(f"leaf.{name}", leaf)
    return context, request, certificate, leaf


def finished(name, request, certificate, verify):
    context = exporter(f"EXPORTER-{name} authenticator handshake context", b"", HLEN)
    key = exporter(f"EXPORTER-{name} authenticator finished key", b"", HLEN)
    return message(20, hmac.new(key, HASH(context + request + certificate + verify).digest(), HASH).digest())


server_context, server_request, server_leaf_der, leaf0 = side("server", 1, 17, 0xa0)
client_context, client_request, _, leaf1 = side("client", 0, 13, 0xc0)

evidence = payload({"type": "tdx", "quote": b"\xde\xad\xbe\xef", "event_log": b"[]"})
check("payload", evidence)
extension = u(2, 0xff00) + u(2, len(evidence) + 2) + u(2, len(evidence)) + evidence
entry = u(3, len(server_leaf_der)) + server_leaf_der + u(2, len(extension)) + extension
certificate = message(11, u(1, 32) + server_context + u(3, len(entry)) + entry)
whole = FOUND["authenticator.server"]
verify = message(15, u(2, 0x0807) + u(2, 64) + whole[len(certificate) + 8:][:64])
check("authenticator.server", certificate + verify + finished("server", server_request, certificate, verify))
no_certificate = message(11, u(1, 32) + client_context + u(3, 0))
check("empty_authenticator.client", finished("client", client_request, no_certificate, b""))


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


leaf2 = hashlib.sha256(b"\0\1" + b"\x33" * 48).digest()
root = node(node(leaf0, leaf1), leaf2)
check("leaf.third", leaf2)
check("path.0", leaf1 + leaf2)
check("path.1", leaf0 + leaf2)
check("path.2", node(leaf0, leaf1))
check("root", root)
check("report_data.batch", hashlib.sha512(b"atls/1 batch\0" + u(4, 3) + root).digest())
check("payload.batch", payload({"type": "tdx", "quote": b"\xde\xad\xbe\xef", "index": 2, "size": 3,
                                "path": node(leaf0, leaf1)}))


def frame(kind, body):
    return struct.pack(">BI", kind, len(body)) + body


check("frame.request", frame(1, server_request))
check("frame.asks_nothing", frame(3, b"\0"))
check("frame.accepted", frame(3, b"\0" + server_context))
check("frame.refused", frame(3, b"\1" + client_context))
check("frame.data", frame(4, b"hello"))
check("frame.close", frame(5, b""))

if USED != set(FOUND):
    sys.exit(f"not computed: {sorted(set(FOUND) - USED)}")
print(f"{len(USED)} vectors of docs/atls-1.md computed")
