#!/usr/bin/env python3
"""Writes the seeds of the quote, pck, hex and attester targets into fuzz/corpus/, and those of atls/1 from the vectors of
docs/atls-1.md. They are made up: well formed, small, signed by nobody that is trusted. Run again after a change here; the files stand in the tree, so that fuzzing needs no Python."""
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")


def vec(b):
    return (bytes([4 * len(b)]) if len(b) < 64 else struct.pack("<H", 4 * len(b) + 1)) + b


def runtime(name, payload):
    return vec(name) + vec(payload)


def dstack_v0(platform, quote, events=(), tail=b""):
    """dstack's attestation of version 0; of a TD (platform 0) with ACPI data and runtime events in its log."""
    b = bytes([0, platform]) + vec(quote)
    if platform == 0:
        log = [struct.pack("<II", 0, 10) + vec(b"d" * 48) + vec(b"acpi-rsdp") + vec(b"ACPI DATA")]
        log += [struct.pack("<II", 3, 0x08000001) + vec(b"") + runtime(*e) for e in events]
        b += bytes([4 * len(log)]) + b"".join(log)
    b += tail + bytes([4 * len(events)]) + b"".join(runtime(*e) for e in events)
    return b + bytes(range(64)) + vec(b"{}")


def text(s):
    return bytes([0xA0 + len(s)]) + s


def dstack_v1():
    event = b"\x83" + text(b"event") + text(b"app-id") + text(b"payload") + b"\xc4\x02ab" + text(b"version") + b"\x02"
    data = b"\x82" + text(b"quote") + b"\x93\x04\x00\xcc\xff" + text(b"event_log") + b"\x90"
    stack = b"\x83" + text(b"report_data") + b"\xdc\x00\x40" + bytes(range(64)) + text(b"runtime_events") + b"\x91" + event
    stack += text(b"config") + text(b"{}")
    kind = lambda k, d: b"\x82" + text(b"kind") + text(k) + text(b"data") + d
    return b"\x83" + text(b"version") + b"\x01" + text(b"platform") + kind(b"tdx", data) + text(b"stack") + kind(b"dstack", stack)


def pattern(n, seed):
    return bytes((i * 7 + seed * 41 + 1) % 256 for i in range(n))


def quote(version, body, auth=32, inner=5, cert=24, slack=0, trailing=0):
    tee = 0 if body == 1 else 0x81
    size = {1: 384, 2: 584, 3: 648}[body]
    q = struct.pack("<HHIHH", version, 2, tee, 0, 0) + VENDOR + pattern(20, 1)
    if version == 5:
        q += struct.pack("<HI", body, size)
    q += pattern(size, 2)
    qe = pattern(384, 5) + pattern(64, 6) + struct.pack("<H", auth) + pattern(auth, 7)
    qe += struct.pack("<HI", inner, cert) + pattern(cert, 8)
    if version > 3:
        qe = struct.pack("<HI", 6, len(qe)) + qe
    data = pattern(64, 3) + pattern(64, 4) + qe + bytes(slack)
    return q + struct.pack("<I", len(data)) + data + bytes(trailing)


def tlv(tag, content):
    n = len(content)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)
    return bytes([tag]) + length + content


def integer(v, tag=2):
    return tlv(tag, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def pair(arcs, value):
    return tlv(0x30, tlv(6, bytes.fromhex("2a864886f84d010d01") + bytes(arcs)) + value)


def extension(platform, order=1):
    tcb = [pair([2, i], integer(i * 15)) for i in range(1, 17)]
    tcb += [pair([2, 17], integer(300)), pair([2, 18], tlv(4, pattern(16, 2)))]
    members = [pair([1], tlv(4, pattern(16, 1))), pair([2], tlv(0x30, b"".join(tcb[::order]))),
               pair([3], tlv(4, b"\0\0")), pair([4], tlv(4, pattern(6, 4))), pair([5], integer(1, 10))]
    if platform:
        settings = [pair([7, i], tlv(1, b"\xff" if i == 1 else b"\0")) for i in (1, 2, 3)]
        members += [pair([6], tlv(4, pattern(16, 6))), pair([7], tlv(0x30, b"".join(settings[::order])))]
    return tlv(0x30, b"".join(members[::order]))


def quote_response(quote_len=40, code=0, selected=b"ID"):
    body = struct.pack("<II", len(selected), quote_len) + selected + pattern(quote_len, 9)
    return struct.pack("<HHIII", 1, 1, 1, 16 + len(body), code) + body


def cert_table(*certs):
    entries, data = b"", b""
    for n, cert in enumerate(certs, 1):
        entries += pattern(16, n) + struct.pack("<II", 24 * (len(certs) + 1) + len(data), len(cert))
        data += cert
    return entries + bytes(24) + data


def cbor(major, value, content=b""):
    width = [w for w in ((0, 24), (1, 256), (2, 65536), (4, 2**32)) if value < w[1]][0][0]
    head = bytes([major * 32 + value]) if width == 0 else bytes([major * 32 + {1: 24, 2: 25, 4: 26}[width]]) + value.to_bytes(width, "big")
    return head + content


def bstr(b):
    return cbor(2, len(b), b)


def tstr(s):
    return cbor(3, len(s), s.encode())


def claims(*more, alg=1, size=32):
    pairs = (("pubkey-hash", cbor(4, 2) + cbor(0, alg) + bstr(pattern(size, 3))),) + more
    return cbor(5, len(pairs)) + b"".join(tstr(n) + bstr(v) for n, v in pairs)


def tagged(tag, evidence, claims_buffer):
    return cbor(6, tag) + cbor(4, 2) + bstr(evidence) + bstr(claims_buffer)


def endorsements(version, nul=b""):
    signed = [b'{"%s":{"version":3,"id":"SGX"},"signature":"%s"}' % (n, b"00" * 64) for n in (b"tcbInfo", b"enclaveIdentity")]
    chain = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    crl = tlv(0x30, pattern(20, 2))
    items = [signed[0] + nul, chain + nul, crl, crl.hex().encode() + nul, chain + nul, signed[1] + nul, chain + nul]
    return cbor(6, 60000) + cbor(4, 8) + b"\x1a" + struct.pack(">I", version) + b"".join(bstr(i) for i in items)


EAT = "application/eat+cwt"

with open(os.path.join(HERE, "..", "docs", "atls-1.md"), encoding="utf-8") as page:
    ATLS1 = {name: bytes.fromhex(body.replace("\n", ""))
             for name, body in re.findall(r"^```vector (\S+)\n(.*?)^```$", page.read(), re.S | re.M)}

SEEDS = {
    "quote/v3-sgx": quote(3, 1, slack=3),
    "quote/v4-sgx": quote(4, 1),
    "quote/v4-tdx": quote(4, 2, trailing=5),
    "quote/v5-sgx": quote(5, 1, auth=0),
    "quote/v5-tdx": quote(5, 2, inner=1, cert=36),
    "quote/v5-tdx-1.5": quote(5, 3),
    "pck/processor": extension(False),
    "pck/platform": extension(True),
    "pck/platform-reversed": extension(True, -1),
    "qgs/quote": quote_response(),
    "qgs/error": quote_response(code=0x12008),
    "qgs/conf": b"# quote service\nport = 4050\n",
    "nsm/document": b"\xa1\x6bAttestation\xa1\x68document\x58\x20" + pattern(32, 1),
    "nsm/error": b"\xa1\x65Error\x6dInputTooLarge",
    "dstack_attestation/tdx": dstack_v0(0, b"quote", ((b"system-preparing", b""), (b"app-id", b"x" * 20), (b"system-ready", b""))),
    "dstack_attestation/snp": dstack_v0(3, b"report", (), b"\x04" + vec(b"leaf") + vec(b"{}")),
    "dstack_attestation/nitro": dstack_v0(2, b"document"),
    "dstack_attestation/v1": dstack_v1(),
    "msgpack/members": b"\x82" + text(b"kind") + text(b"tdx") + text(b"data") + b"\x93\x01\xcc\x80\xcd\x01\x00",
    "msgpack/deep": b"\x91" * 40 + b"\x80",
    "msgpack/forms": b"\x9c\xc0\xc2\xc4\x01a\xc7\x01\x05b\xca1234\xcf12345678\xd0\x80\xd4\x05c\xd9\x01d\xdc\x00\x00\xde\x00\x00\xff",
    "dstack/quote": b'{"quote":"04000200","event_log":"[{\\"imr\\":3}]","vm_config":"{}"}',
    "dstack/attestation": b'{"quote":"","attestation":"00"}',
    "dstack/error": b'{"error":"no \\u00e9 quote"}',
    "cert_table_len/two": cert_table(pattern(30, 1), pattern(50, 2)) + bytes(60),
    "cert_table_len/empty": bytes(48),
    "cert_table_len/inside": cert_table(b"") + bytes(9),
    "hex/lower": b"00ff7f80",
    "hex/upper": b"DEADBEEF",
    "hex/time": b"2024-02-29T23:59:59Z",
    "hex/bytes": bytes(range(0, 256, 9)),
    "request/server": ATLS1["request_to.server"],
    "request/client": ATLS1["request_to.client"],
    "authenticator/server": ATLS1["authenticator.server"],
    "authenticator/empty": ATLS1["empty_authenticator.client"],
    "payload/plain": ATLS1["payload"],
    "payload/batch": ATLS1["payload.batch"],
    "frame/exchange": ATLS1["frame.request"] + ATLS1["frame.accepted"] + ATLS1["frame.data"] + ATLS1["frame.close"],
    "frame/refused": ATLS1["frame.asks_nothing"] + ATLS1["frame.refused"],
    "tcg_evidence/quote": tagged(60000, pattern(300, 1), claims()),
    "tcg_evidence/nonce": tagged(60000, pattern(20, 1), claims(("nonce", pattern(8, 1)), ("key_0", b"value_0\0"))),
    "tcg_evidence/sha384": tagged(60000, pattern(20, 1), claims(alg=7, size=48)),
    "tcg_evidence/snp": tagged(0x1A7504, pattern(40, 1), claims(alg=8, size=64)),
    "tcg_evidence/wrapped": tlv(0x30, tlv(4, tagged(60000, pattern(20, 1), claims()))),
    "tcg_endorsements/3.0": endorsements(3, b"\0"),
    "tcg_endorsements/3.1": endorsements(0x10003),
    "cmw/record": cbor(4, 3) + tstr(EAT) + bstr(pattern(4, 1)) + b"\x04",
    "cmw/format": cbor(4, 2) + cbor(0, 263) + bstr(pattern(4, 1)),
    "cmw/tag": cbor(6, 0x63740209) + bstr(pattern(4, 1)),
    "cmw/json": b'["application/eat+cwt","3q2-7w",4]',
    "cmw/collection": b"\xa1" + tstr("a") + cbor(4, 2) + tstr(EAT) + bstr(b"1"),
    "frame/authenticator": b"\2" + struct.pack(">I", len(ATLS1["authenticator.server"])) + ATLS1["authenticator.server"],
}

for name, content in SEEDS.items():
    path = os.path.join(HERE, "corpus", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)
