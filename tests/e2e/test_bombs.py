#!/usr/bin/env python3
"""What hostile files cost: every kind of input that the program reads, in the shapes that are meant to hurt. Each gets a code, a
check id and one sentence, in 50 ms of CPU beyond starting the program and reading the file, and 16 MiB beyond its own size."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from cli import ATLS, SANITIZED, Report, atls

KIB, MIB = 1024, 1024 * 1024
CHECK_ID = re.compile(r"\[[a-z0-9_]+(\.[a-z0-9_]+)+\]\n$")
CPU_S, READ_S_PER_MIB, RSS_KIB = 0.05, 0.005, 16 * KIB
LOOP_S = 0.028  # of the loop in slowness(), on the machine where the limits were set
SHOW = "-v" in sys.argv

report = Report()


# --- DER, as far as it is needed ---

def tlv(tag, *content):
    body = b"".join(content)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


def seq(*content):
    return tlv(0x30, *content)


def oid(*content):
    return tlv(0x06, bytes(content))


ECDSA_SHA256 = seq(oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02))
RSA_SHA256 = seq(oid(0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B), tlv(0x05))
TIME = tlv(0x17, b"240101000000Z")
LATER = tlv(0x17, b"490101000000Z")
NAME = seq(tlv(0x31, seq(oid(0x55, 4, 3), tlv(0x0C, b"bomb"))))
BITS = tlv(0x03, b"\0", bytes(64))
P256_KEY = seq(seq(oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1), oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7)), tlv(0x03, b"\0\x04", bytes(64)))


def rsa_key(bits):
    n = tlv(0x02, b"\0" + b"\xc5" * (bits // 8))
    return seq(seq(oid(0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1), tlv(0x05)), tlv(0x03, b"\0", seq(n, tlv(0x02, b"\1\0\1"))))


def certificate(key=P256_KEY, name=NAME, extensions=b"", algorithm=ECDSA_SHA256, bits=BITS):
    tbs = seq(tlv(0xA0, tlv(0x02, b"\2")), tlv(0x02, b"\1"), algorithm, name, seq(TIME, LATER), name, key,
              tlv(0xA3, seq(extensions)) if extensions else b"")
    return seq(tbs, algorithm, bits)


def crl(entries, extensions=b""):
    tbs = seq(tlv(0x02, b"\1"), ECDSA_SHA256, NAME, TIME, LATER, seq(entries), tlv(0xA0, seq(extensions)) if extensions else b"")
    return seq(tbs, ECDSA_SHA256, BITS)


def pem(der, label="CERTIFICATE"):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def repeat(unit, size):
    return unit * (size // len(unit))


def json_of(**members):
    return json.dumps(members).encode()


# --- the shapes ---

def json_shapes(size, head=b'{"x":', tail=b"}"):
    """JSON of about `size` bytes that costs a tree builder dear. head and tail put it into a member."""
    room = size - len(head) - len(tail) - 64

    def wrap(body):
        return head + body + tail

    def fill(unit, count=None):
        n = room // (len(unit) + 1) if count is None else min(count, room // (len(unit) + 1))
        return wrap(b"[" + b",".join([unit] * n) + b"]")

    members = b",".join(b'"%x":0' % i for i in range(room // 9))
    few = b",".join(b'"%x":{}' % i for i in range(min(130000, room // 10)))
    yield "100,000 deep", wrap(b"[" * 100000)
    yield "100,000 deep in objects", wrap(b'{"a":' * 100000)
    yield "empty arrays", fill(b"[]")
    yield "empty arrays, as many as may be", fill(b"[]", 130000)
    yield "empty objects, as many as may be", fill(b"{}", 130000)
    yield "objects of one member", fill(b'{"a":0}', 65000)
    yield "short strings, as many as may be", fill(b'""', 130000)
    yield "tiny members", wrap(b"{" + members + b"}")
    yield "tiny members, as many as may be", wrap(b"{" + few + b"}")
    yield "one name again and again", wrap(b"{" + b",".join([b'"a":0'] * (room // 6)) + b"}")
    yield "digits", wrap(b"1" * room)
    yield "an exponent", wrap(b"1e" + b"9" * room)
    yield "a real of many digits", wrap(b"0." + b"1" * room)
    yield "one string", wrap(b'"' + b"a" * room + b'"')
    yield "one name", wrap(b'{"' + b"a" * room + b'":1}')
    yield "escapes", wrap(b'"' + repeat(b"\\u20ac", room) + b'"')
    yield "spaces", wrap(b" " * room + b"1")
    yield "lines", wrap(b"\n" * room + b"1")
    yield "NUL bytes", wrap(b"\0" * room)
    yield "an escaped NUL", wrap(b'"\\u0000"')
    yield "invalid UTF-8", wrap(b'"' + b"\xc0\xaf" * 1000 + b'"')


def certificates():
    """Certificates, and files of them, for --root, inspect, and chains of collateral."""
    big = seq(oid(0x55, 0x1D, 0x63), tlv(0x04, bytes(MIB)))
    yield "a certificate of 1 MB", certificate(extensions=big)
    yield "a certificate of 1 MB, PEM", pem(certificate(extensions=big))
    yield "RSA of 16384 bits", certificate(rsa_key(16384), algorithm=RSA_SHA256, bits=tlv(0x03, b"\0", bytes(2048)))
    yield "RSA of 65536 bits", certificate(rsa_key(65536 - 8 * 4000), algorithm=RSA_SHA256)
    yield "10,000 certificates", pem(certificate()) * 10000
    yield "many certificates under the cap", repeat(pem(certificate()), 256 * KIB - 1)
    tiny = seq(oid(0x55), tlv(0x04))
    yield "tiny extensions", certificate(extensions=repeat(tiny, 7500))
    yield "a name of tiny parts", certificate(name=seq(repeat(tlv(0x31, seq(oid(0x55), tlv(0x05))), 3500)))
    yield "a certificate 1,000 deep", certificate(extensions=deep_der(1000))
    yield "a length that lies", b"\x30\x84\x7f\xff\xff\xff" + bytes(4000)
    yield "a length without end", b"\x30\x80" * 2000
    yield "PEM without end", b"-----BEGIN CERTIFICATE-----\n" + b"A" * (255 * KIB)
    yield "PEM of spaces", b"-----BEGIN CERTIFICATE-----\n" + b" \n" * (127 * KIB)
    yield "headers of PEM", b"-----BEGIN CERTIFICATE-----\n" * 9000


def deep_der(n):
    der = b""
    for _ in range(n):
        der = seq(der)
    return der


def crls(size):
    entry = seq(tlv(0x02, b"\x01\x02\x03"), TIME)
    least = seq(tlv(0x02, b"\x01"), tlv(0x17))
    extension = seq(oid(0x55), tlv(0x04))
    yield "100,000 entries", crl(b"".join(seq(tlv(0x02, i.to_bytes(4, "big")), TIME) for i in range(100000)))
    yield "entries to the brim", crl(repeat(entry, size - 300))
    yield "entries without a date", crl(repeat(least, size - 300))
    yield "empty entries", crl(repeat(seq(), size - 300))
    yield "an entry of tiny extensions", crl(seq(tlv(0x02, b"\1"), TIME, seq(repeat(extension, size - 400))))
    yield "tiny extensions", crl(entry, repeat(extension, size - 400))
    yield "a length that lies", b"\x30\x84\x7f\xff\xff\xff" + bytes(size - 100)


# --- running them ---

def slowness():
    """How much dearer a second of CPU is here and now than where the limits were set; at least 1. Machines
    differ, and one whose other core is busy is slower without being asked."""
    best = 1.0
    for _ in range(5):
        begin, n = time.process_time(), 0
        for i in range(1_000_000):
            n += i & 7
        best = min(best, time.process_time() - begin)
    return max(1.0, best / LOOP_S)


def measure(args, stdin, limit_s):
    """The cheapest of up to eight runs, and the limit: other processes make a run dearer, never cheaper. If it is
    still over, the machine itself is measured."""
    best = None
    for _ in range(8):
        run = atls(*args, stdin=stdin)
        if best is None or run.cpu_s < best.cpu_s:
            best = run
        if best.cpu_s < start.cpu_s + limit_s:
            return best, limit_s
    return best, limit_s * slowness() * 1.3


def bomb(name, args, codes, size, stdin=b"", check=None, most_kib=RSS_KIB):
    """One of the codes, one sentence with its check id (or the verdict's JSON), at little cost."""
    limit_s = (CPU_S + READ_S_PER_MIB * size / MIB) * (30 if SANITIZED else 1)
    run, limit_s = measure(args, stdin, limit_s)
    cpu_ms, rss_kib = (run.cpu_s - start.cpu_s) * 1000, run.rss_kib - start.rss_kib - size // KIB
    if SHOW or run.code not in codes:
        print(f"{run.code:4} {cpu_ms:6.0f} ms {rss_kib / KIB:6.1f} MiB beyond {size / MIB:4.1f}  {name}: "
              f"{(run.err or run.out)[:110].rstrip()}")
    if SHOW and (cpu_ms > limit_s * 1000 or rss_kib > most_kib):
        print("      ^^^^^ OVER")
    report.check(run.code in codes, name, f"exit status {run.code}, wanted {codes}: {run.out[:300]} {run.err[:300]}")
    report.check(cpu_ms < limit_s * 1000, name, f"{cpu_ms:.0f} ms of CPU")
    report.check(SANITIZED or rss_kib < most_kib, name, f"{rss_kib / KIB:.1f} MiB of memory beside {size / MIB:.1f} MiB of file")
    if run.code == 0:
        return
    if "--json" in args and run.code > 2:
        got = run.json
        report.check(got["code"] == run.code and got["check"] and got["message"] and "\n" not in got["message"], name, got)
        report.check(check is None or got["check"] == check, name, got["check"])
    else:
        report.check(CHECK_ID.search(run.err) is not None and run.err.count("\n") == 1 and run.out == "", name, run.err[:300])
        report.check(check is None or f"[{check}]" in run.err, name, run.err[:300])


class Files:
    def __init__(self, d):
        self.path = d / "bomb"

    def put(self, data):
        self.path.write_bytes(data)
        return self.path


def evidence_bombs(files, pki, quote):
    base = ("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    whole = quote.read_bytes()
    for n, offset in ((4, 632), (2, 636 + 64 + 64 + 384 + 64 + 6 - 6), (4, 636 + 64 + 64 + 2)):
        for lie in (b"\xff" * n, b"\xff" * (n - 1) + b"\x7f", b"\0" * n):
            data = whole[:offset] + lie + whole[offset + n:]
            bomb(f"quote: length at {offset} is {lie.hex()}", (*base, files.put(data)), (4,), len(data))
    for name, data in (("a quote and 4 MiB behind it", whole + bytes(4 * MIB - len(whole))),
                       ("a quote and 120 KiB behind it", whole + bytes(120 * KIB)), ("4 MiB of NUL", bytes(4 * MIB)),
                       ("4 MiB of {", b"{" * (4 * MIB)), ("4 MiB of 0x30 0x82", b"\x30\x82" * (2 * MIB))):
        bomb(name, (*base, files.put(data)), (4,), len(data))
        bomb(f"{name}, inspected", ("inspect", files.put(data)), (0, 4), len(data))
    head = b'{"atls_evidence":1,"type":"tdx","x":'
    for name, data in json_shapes(4 * MIB, head):
        bomb(f"bundle: {name}", (*base, files.put(data)), (4,), len(data))
        bomb(f"bundle: {name}, inspected", ("inspect", files.put(data)), (4,), len(data))
    for name, text in (("4 MiB of base64", "A" * (4 * MIB - 100)), ("base64 of spaces", " " * (4 * MIB - 100)),
                       ("base64 of =", "=" * (4 * MIB - 100)), ("base64 of newlines", "\n" * (MIB))):
        data = json_of(atls_evidence=1, type="tdx", quote=text)
        bomb(f"bundle: {name}", (*base, files.put(data)), (4,), len(data))
        bomb(f"bundle: {name}, inspected", ("inspect", files.put(data)), (0, 4), len(data))
    logs = json_of(atls_evidence=1, type="tdx", quote=base64.b64encode(whole).decode(), event_log="A" * (3 * MIB))
    bomb("bundle: an event log of 2 MiB", (*base, files.put(logs)), (0, 4, 5), len(logs))


def collateral_bombs(files, pki, quote):
    base = ("verify", "--json", "--insecure-sim-root", pki / "root.pem", "--collateral")
    good = json.loads((pki / "collateral-tdx.json").read_text())

    def judge(name, data, codes=(3, 4)):
        bomb(f"collateral: {name}", (*base, files.put(data), quote), codes, len(data))
        bomb(f"collateral: {name}, inspected", ("inspect", files.put(data)), (0, 4), len(data))

    for member in ("tcb_info", "x"):
        for name, data in json_shapes(4 * MIB, b'{"%s":' % member.encode()):
            judge(f"{member}: {name}", data)
    for member in ("tcb_info", "qe_identity"):
        for name, data in json_shapes(MIB):
            text = data.decode(errors="replace").replace("\0", " ")
            judge(f"{member} as text: {name}", json_of(**{**good, member: text}))
    for member in ("root_ca_crl", "pck_crl"):
        for name, der in crls(3 * MIB - 300 * KIB):
            judge(f"{member}: {name}", json_of(**{**good, member: pem(der, "X509 CRL").decode()}))
    for name, data in certificates():
        text = data if data.startswith(b"-----") else pem(data)
        if len(text) < 4 * MIB - 100 * KIB:
            judge(f"tcb_info_issuer_chain: {name}", json_of(**{**good, "tcb_info_issuer_chain": text.decode()}))
    judge("hex of 4 MiB", json_of(pck_crl="30" * (2 * MIB - 100)))


def other_bombs(files, pki, quote):
    for name, data in json_shapes(MIB):
        bomb(f"policy: {name}", ("policy", "check", files.put(data)), (1,), len(data))
        bomb(f"policy: {name}, for verify", ("verify", "--policy", files.put(data), quote), (1,), len(data))
    for name, data in json_shapes(MIB, b'{"atls_policy":1,"workloads":', b"}"):
        bomb(f"policy: workloads: {name}", ("policy", "check", files.put(data)), (1,), len(data))
        bomb(f"policy: workloads: {name}, explained", ("policy", "explain", files.put(data)), (1,), len(data))
    for name, data in certificates():
        path = files.put(data)
        bomb(f"root: {name}", ("verify", "--json", "--root", f"intel:{path}", quote), (1,), len(data))
        bomb(f"simulator's root: {name}", ("verify", "--json", "--insecure-sim-root", path, quote), (1,), len(data))
        bomb(f"certificate: {name}, inspected", ("inspect", path), (0, 4), len(data))
        bomb(f"certificate: {name}, judged", ("verify", "--json", path), (4,), len(data))
        bomb(f"endorsement: {name}", ("verify", "--json", "--endorsement", path, "--insecure-sim-root", pki / "root.pem",
                                      "--collateral", pki, quote), (0, 1, 4), len(data))
    for name, data in crls(4 * MIB):
        bomb(f"CRL: {name}, inspected", ("inspect", files.put(data)), (0, 4), len(data))
        if len(data) < 3 * MIB:
            data = pem(data, "X509 CRL")
            bomb(f"CRL in PEM: {name}, inspected", ("inspect", files.put(data)), (0, 4), len(data))


# --- keys, documents and tokens ---

class Curve:
    """One of NIST's (FIPS 186-4, D.1.2): enough of it for keys by the thousand, and a signature or two."""

    def __init__(self, name, p, b_gx_gy, n):
        self.name, self.p, self.n, self.size = name, p, n, (p.bit_length() + 7) // 8
        self.g = b_gx_gy

    def add(self, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0]:
            if (a[1] + b[1]) % self.p == 0:
                return None
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def times(self, k):
        out, at = None, self.g
        while k:
            out, at, k = self.add(out, at) if k & 1 else out, self.add(at, at), k >> 1
        return out

    def points(self, n):
        at = self.g
        for _ in range(n):
            yield at
            at = self.add(at, self.g)

    def jwk(self, point, **more):
        return {"kty": "EC", "crv": self.name, "x": b64url(point[0].to_bytes(self.size, "big")),
                "y": b64url(point[1].to_bytes(self.size, "big")), **more}


P256 = Curve("P-256", 2**256 - 2**224 + 2**192 + 2**96 - 1,
             (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
              0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
             0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551)
P521 = Curve("P-521", 2**521 - 1,
             (0xc6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66,
              0x11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650),
             0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409)
KEY = 0x1234567  # of the tokens here


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, head=b'{"alg":"ES256","kid":"k"}'):
    """Signed with KEY, by the secret number 1: claims are looked at once the signature holds."""
    text = f"{b64url(head)}.{b64url(claims)}"
    r = P256.g[0] % P256.n
    s = (int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") + r * KEY) % P256.n
    return f"{text}.{b64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}".encode()


def cbor(major, n):
    return bytes([major * 32 + 26]) + n.to_bytes(4, "big")


def cbor_bytes(data, major=2):
    return cbor(major, len(data)) + data


def cbor_shapes(size):
    """CBOR of about `size` bytes that costs a reader dear."""
    names = b"".join(b"\x63" + f"{i:03}".encode() + b"\xf6" for i in range(64))
    yield "maps of 64 names", cbor(4, size // len(names)) + repeat(cbor(5, 64) + names, size)
    alike = b"".join(b"\x78\x80" + b"a" * 126 + f"{i:02}".encode() + b"\xf6" for i in range(64))
    yield "maps of 64 long names that end otherwise", repeat(cbor(5, 64) + alike, size)
    yield "one name twice", b"\xa2" + (b"\x61a\xf6" * 2) * (size // 6)
    yield "nulls", cbor(4, size - 5) + b"\xf6" * (size - 5)
    yield "empty maps", cbor(4, size - 5) + b"\xa0" * (size - 5)
    yield "tags", b"\xd2" * size
    yield "arrays in arrays", b"\x81" * size
    yield "a map that lies", b"\xbb" + b"\xff" * 8 + bytes(size - 9)
    yield "an array that lies", b"\x9b" + b"\x7f" + b"\xff" * 7 + bytes(size - 9)
    yield "bytes without end", b"\x5f" + b"\x41a" * (size // 2 - 1)
    yield "one text of two-byte letters", cbor_bytes("\u00e9".encode() * (size // 2 - 3), 3)
    yield "one text that is none", cbor_bytes(b"\xc3\xa9" * (size // 2 - 4) + b"\xff", 3)
    yield "floats", cbor(4, size // 9) + b"\xfb" + bytes(size - 14)


def endorsed_keys():
    """What --endorsement takes, as many as may be and more, and in the shapes that cost."""
    rsa = [b64url(b"\xc5" + i.to_bytes(4, "big") + b"\xc5" * 506 + b"\xc5") for i in range(1025)]
    keys = [{"kty": "RSA", "kid": str(i), "n": n, "e": "AQAB"} for i, n in enumerate(rsa)]
    yield "1024 keys of RSA-4096", json_of(keys=keys[:1024])
    yield "1025 keys of RSA-4096", json_of(keys=keys)
    points = list(P521.points(1025))
    yield "1024 keys on P-521", json_of(keys=[P521.jwk(p, kid=str(i)) for i, p in enumerate(points[:1024])])
    yield "1024 keys on P-256, of one kid", json_of(keys=[P256.jwk(p, kid="k") for p in P256.points(1024)])
    yield "a point beside P-521", json_of(keys=[P521.jwk((1, 1))])
    x5c = base64.b64encode(certificate(extensions=repeat(seq(oid(0x55), tlv(0x04)), 2000))).decode()
    yield "1024 certificates in x5c", json_of(keys=[P256.jwk(P256.g, x5c=[x5c])] * 1024)
    yield "a certificate of 1 MiB in x5c", json_of(keys=[P256.jwk(P256.g, x5c=["A" * MIB])])
    yield "keys of a kind that is not taken", b'{"keys":[' + b",".join([b'{"kty":"OKP"}'] * 9000) + b"]}"
    for name, data in json_shapes(4 * MIB, b'{"keys":'):
        yield f"keys: {name}", data
    anchors = [{"instance-id": "01" + i.to_bytes(32, "big").hex(), "implementation-id": "00" * 32, "pkey": P521.jwk(p)}
               for i, p in enumerate(points)]
    yield "1024 CCA trust anchors", json_of_list(anchors[:1024])
    yield "1025 CCA trust anchors", json_of_list(anchors)
    yield "one CCA trust anchor again and again", json_of_list(anchors[:1] * 1500)
    for name, data in json_shapes(4 * MIB, b'[{"instance-id":', b"}]"):
        yield f"trust anchors: {name}", data
    yield "an array that says instance-id at its end", b"[" + b" " * (4 * MIB - 20) + b'"instance-id"'
    ec = bytes.fromhex("30819b301006072a8648ce3d020106052b8104002303818600" "04")
    pems = [pem(ec + p[0].to_bytes(66, "big") + p[1].to_bytes(66, "big"), "PUBLIC KEY") for p in points]
    yield "1024 public keys in PEM", b"".join(pems[:1024])
    yield "1025 public keys in PEM", b"".join(pems)
    yield "RSA keys in PEM", pem(rsa_key(4096), "PUBLIC KEY") * 1024
    big = certificate(rsa_key(4096), extensions=repeat(seq(oid(0x55, 0x1D), tlv(0x04)), 400))
    yield "256 certificates", pem(big) * 256
    yield "257 certificates", pem(big) * 257
    large = certificate(extensions=seq(oid(0x55, 0x1D, 0x63), tlv(0x04, bytes(11 * KIB))))
    yield "256 large certificates", pem(large) * 256
    for name, der in crls(4 * MIB - 64):
        yield f"CRL: {name}", der
    yield "a CRL in PEM", pem(crl(repeat(seq(tlv(0x02, b"\x01\x02\x03"), TIME), 3 * MIB - 300 * KIB)), "X509 CRL")
    yield "4 MiB of NUL", bytes(4 * MIB)
    yield "4 MiB of spaces", b" " * (4 * MIB)


def json_of_list(values):
    return json.dumps(values).encode()


def family_bombs(files, d, pki, quote):
    """Documents and tokens of 64 KiB, and what vouches for them of 4 MiB."""
    path = d / "endorsement"
    for name, data in endorsed_keys():
        path.write_bytes(data)  # kept beside the quote and what judging it takes: a CRL as it came, signed, and sorted
        bomb(f"endorsement: {name}", ("verify", "--json", "--endorsement", path, quote), (1, 3, 4), len(data), most_kib=24 * KIB)
    size = 64 * KIB
    for name, data in cbor_shapes(size - 300):
        cose = b"\x84\x44\xa1\x01\x38\x22\xa0" + cbor_bytes(data[:16000]) + cbor_bytes(bytes(96))
        token399 = b"\xd9\x01\x8f\xa2" + b"\x19\xac\xca" + cbor_bytes(cose) + b"\x19\xac\xd1" + cbor_bytes(cose)
        for what, form, whole in (("alone", "nitro", data), ("as a payload", "nitro", cose), ("as a CCA token", "cca", b"\xd9\x01\x8f" + data),
                                  ("in a CCA token", "cca", token399), ("as an unprotected header", "nitro", b"\x84\x40" + data)):
            bomb(f"CBOR, {name}, {what}", ("verify", "--json", "--format", form, files.put(whole)), (4,), len(whole))
            bomb(f"CBOR, {name}, {what}, inspected", ("inspect", files.put(whole)), (0, 4), len(whole))
    certs = [certificate(extensions=repeat(seq(oid(0x55, 0x1D), tlv(0x04)), 500)) for _ in range(8)]
    path.write_bytes(json_of(keys=[P256.jwk(P256.times(KEY), kid="k")]))
    trust = ("--endorsement", path)
    claims = {"exp": 4102444800, "iss": "bomb"}
    good = token(json_of(**claims))
    bomb("a token of ours", ("verify", "--json", *trust, files.put(good)), (0,), len(good))
    for name, data in json_shapes(47 * KIB, json_of(**claims)[:-1] + b',"submods":'):
        whole = token(data)
        bomb(f"claims: {name}", ("verify", "--json", *trust, files.put(whole)), (0, 4), len(whole))
        bomb(f"claims: {name}, inspected", ("inspect", files.put(whole)), (0, 4), len(whole))
        whole = token(data[:-1] + b',"eat_profile":"tag:github.com,2023:veraison/ear","iat":1}')
        bomb(f"claims of an EAR: {name}", ("verify", "--json", *trust, files.put(whole)), (0, 4, 5), len(whole))
    for name, data in json_shapes(15 * KIB, b'{"alg":"ES256","kid":"k","x5c":'):
        whole = token(json_of(**claims), data)
        bomb(f"header: {name}", ("verify", "--json", *trust, files.put(whole)), (0, 4), len(whole))
    for name, whole in (("dots", b"eyJ" + b"." * size), ("A", b"eyJ" + b"A" * (size - 8) + b".A.A"), ("4 MiB of A", b"eyJ" + b"A" * (4 * MIB))):
        bomb(f"token: {name}", ("verify", "--json", "--format", "jwt", *trust, files.put(whole)), (4,), len(whole))


def strange_files(d, pki, quote):
    """Files of 100 MB, files that are none, and one standard input for two."""
    large = d / "large"
    with open(large, "wb") as f:
        f.truncate(100 * MIB)
    trust = ("--insecure-sim-root", pki / "root.pem", "--collateral", pki)
    for name, args, code in (
            ("evidence", ("verify", "--json", large), 4), ("bundle", ("verify", "--json", "--format", "bundle", large), 4),
            ("collateral", ("verify", "--json", "--collateral", large, quote), 4),
            ("policy", ("verify", "--json", "--policy", large, quote), 1), ("policy check", ("policy", "check", large), 1),
            ("policy explain", ("policy", "explain", large), 1), ("root", ("verify", "--json", "--root", f"intel:{large}", quote), 1),
            ("simulator's root", ("verify", "--json", "--insecure-sim-root", large, quote), 1),
            ("endorsement", ("verify", "--json", *trust, "--endorsement", large, quote), 4), ("inspect", ("inspect", large), 4)):
        bomb(f"100 MB: {name}", args, (code,), 0)
    bomb("standard input for two", ("verify", "--json", *trust, "--policy", "-", "-"), (1,), 0, quote.read_bytes(), "usage.stdin")
    bomb("standard input for two collaterals", ("verify", "--json", "--collateral", "-", "--collateral", "-", quote), (1,), 0,
         (pki / "collateral-tdx.json").read_bytes(), "usage.stdin")
    for what, path in (("a directory", d), ("missing", d / "none"), ("below a file", quote / "x"), ("an empty name", "")):
        for name, args in (("evidence", ("verify", "--json", path)), ("policy", ("verify", "--policy", path, quote)),
                           ("policy check", ("policy", "check", path)), ("root", ("verify", "--root", f"intel:{path}", quote)),
                           ("endorsement", ("verify", "--endorsement", path, quote)), ("inspect", ("inspect", path))):
            bomb(f"{what}: {name}", args, (2,), 0)
    for what in ("missing", "below a file"):
        path = d / "none" if what == "missing" else quote / "x"
        bomb(f"{what}: collateral", ("verify", "--json", "--collateral", path, quote), (2,), 0)
    if os.getuid() != 0:
        shut = d / "shut"
        shut.write_bytes(b"x")
        shut.chmod(0)
        for name, args in (("evidence", ("verify", shut)), ("policy", ("policy", "check", shut)), ("inspect", ("inspect", shut)),
                           ("collateral", ("verify", "--collateral", shut, quote))):
            bomb(f"unreadable: {name}", args, (2,), 0)
    fifos(d, pki, quote, trust)


def fifos(d, pki, quote, trust):
    """A FIFO is read like standard input; one that stays open and gives more than the cap is not read to its end."""
    fifo = d / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([str(ATLS), "verify", "--json", *map(str, trust), str(fifo)], stdout=subprocess.PIPE) as child:
        fifo.write_bytes(quote.read_bytes())
        out, _ = child.communicate(timeout=30)
        report.check(child.returncode == 0 and json.loads(out)["accepted"], "a quote through a FIFO", out[:200])
    with subprocess.Popen([str(ATLS), "verify", "--json", *map(str, trust), str(fifo)], stdout=subprocess.PIPE) as child:
        try:
            with open(fifo, "wb") as f:
                while True:
                    f.write(bytes(64 * KIB))
        except BrokenPipeError:
            pass
        out, _ = child.communicate(timeout=30)
        report.check(child.returncode == 4 and json.loads(out)["check"] == "evidence.size", "a FIFO without end", out[:200])


def main():
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        pki, quote = d / "pki", d / "quote"
        report.check(atls("sim", "pki", pki).code == 0, "sim pki")
        report.check(atls("sim", "evidence", "--pki", pki, "-o", quote).code == 0, "sim evidence")
        files = Files(d)
        for part in (evidence_bombs, collateral_bombs, other_bombs):
            part(files, pki, quote)
        family_bombs(files, d, pki, quote)
        strange_files(d, pki, quote)
    report.end()


if __name__ == "__main__":
    os.environ.pop("MALLOC_PERTURB_", None)  # meson's: writes into all memory that is asked for, used or not
    with tempfile.TemporaryDirectory() as tmp:  # OpenSSL's own start belongs to the program's
        small = pathlib.Path(tmp) / "small"
        small.write_bytes(crl(b""))
        start = min((atls("inspect", small) for _ in range(3)), key=lambda run: run.cpu_s)
    sys.exit(main())
