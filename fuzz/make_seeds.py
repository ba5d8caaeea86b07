#!/usr/bin/env python3
"""Writes the seeds of the quote, pck and hex targets into fuzz/corpus/, and those of atls/1 from the vectors of
docs/atls-1.md. They are made up: well formed, small, signed by nobody that is trusted. Run again after a change here; the files stand in the tree, so that fuzzing needs no Python."""
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")


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
    "frame/authenticator": b"\2" + struct.pack(">I", len(ATLS1["authenticator.server"])) + ATLS1["authenticator.server"],
}

for name, content in SEEDS.items():
    path = os.path.join(HERE, "corpus", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)
