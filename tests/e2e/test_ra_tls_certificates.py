#!/usr/bin/env python3
"""RA-TLS against an independent implementation of both ends: Python's own TLS, openssl's commands, and the check and the
making of certificates written down once more here (hashlib, a reader of CBOR and of DER).

Python connects to `atls proxy server` and judges the certificate that it is shown; and Python serves certificates of its
own making to `atls connect`, right and wrong in one respect."""
import base64
import hashlib
import json
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import threading

from cli import Report, atls
from test_connect import Backend, Server

report = Report()

TCG = "2.23.133.5.4.9"
CMW = "1.3.6.1.5.5.7.1.35"
GRAMINE = "0.6.9.42.840.113741.1337.6"
SDK = "1.2.840.113741.1.13.1"
MEDIA_TYPE = "application/vnd.atls.tcg-evidence+cbor"


def openssl(*args, stdin=b""):
    return subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True, check=False)


# --- reading: DER, CBOR, quotes ---

def der_item(data, at=0):
    """tag, content, end"""
    tag, length, at = data[at], data[at + 1], at + 2
    if length >= 128:
        n = length - 128
        length, at = int.from_bytes(data[at:at + n], "big"), at + n
    assert at + length <= len(data)
    return tag, data[at:at + length], at + length


def der_list(content):
    at = 0
    while at < len(content):
        start = at
        tag, inner, at = der_item(content, at)
        yield tag, inner, content[start:at]


def oid_text(content):
    arcs, value = [], 0
    for byte in content:
        value = value * 128 + byte % 128
        if byte < 128:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def extensions(certificate):
    """[(oid, critical, content)] in their order"""
    _, whole, _ = der_item(certificate)
    _, tbs, _ = der_item(whole)
    wrapped = next(inner for tag, inner, _ in der_list(tbs) if tag == 0xA3)
    found = []
    for _, ext, _ in der_list(der_item(wrapped)[1]):
        parts = list(der_list(ext))
        found.append((oid_text(parts[0][1]), any(t == 1 and v != b"\0" for t, v, _ in parts), parts[-1][1]))
    return found


def cbor(data, at=0):
    """value, end; strings as (major, bytes), arrays as list, maps as list of pairs, tags as ("tag", n, value)"""
    major, low, at = data[at] // 32, data[at] % 32, at + 1
    assert low < 28
    if low >= 24:
        n = 1 << (low - 24)
        low, at = int.from_bytes(data[at:at + n], "big"), at + n
    if major == 0:
        return low, at
    if major in (2, 3):
        assert at + low <= len(data)
        return (major, data[at:at + low]), at + low
    if major == 6:
        value, at = cbor(data, at)
        return ("tag", low, value), at
    assert major in (4, 5)
    items = []
    for _ in range(low * (major - 3)):
        item, at = cbor(data, at)
        items.append(item)
    return (items if major == 4 else list(zip(items[::2], items[1::2]))), at


def cbor_all(data):
    value, end = cbor(data)
    assert end == len(data)
    return value


def report_data(quote):
    version, tee = int.from_bytes(quote[:2], "little"), int.from_bytes(quote[4:8], "little")
    body = 54 if version == 5 else 48
    at = body + (520 if tee == 0x81 else 320)
    return quote[at:at + 64], tee == 0x81


def quote_signature_holds(d, quote):
    """By the attestation key inside: r and s, x and y."""
    version, tee = int.from_bytes(quote[:2], "little"), int.from_bytes(quote[4:8], "little")
    end = {3: 432, 4: 632 if tee else 432}.get(version)
    if version == 5:
        end = 54 + int.from_bytes(quote[50:54], "little")
    r_s, x_y = quote[end + 4:end + 68], quote[end + 68:end + 132]

    def integer(b):
        b = b.lstrip(b"\0") or b"\0"
        b = b"\0" + b if b[0] > 127 else b
        return bytes([2, len(b)]) + b

    numbers = integer(r_s[:32]) + integer(r_s[32:])
    (d / "quote.sig").write_bytes(bytes([0x30, len(numbers)]) + numbers)
    (d / "quote.key").write_bytes(bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + x_y)
    run = openssl("dgst", "-sha256", "-keyform", "DER", "-verify", d / "quote.key", "-signature", d / "quote.sig", stdin=quote[:end])
    return run.stdout == b"Verified OK\n"


# --- the check, once more ---

def tagged_is_bound(value, spki):
    """None, or why the evidence is not this key's."""
    _, tag, (evidence, claims) = cbor_all(value)
    if tag not in (60000, 0x1A7504):
        return f"tag {tag}"
    evidence, claims = evidence[1], claims[1]
    pairs = cbor_all(claims)
    names = [name for (major, name), _ in pairs if major == 3]
    if len(set(names)) != len(pairs) or names.count(b"pubkey-hash") != 1:
        return "claims"
    algorithm, (_, digest) = cbor_all(dict((n, v) for (_, n), v in pairs)[b"pubkey-hash"][1])
    if hashlib.new({1: "sha256", 7: "sha384", 8: "sha512"}[algorithm], spki).digest() != digest:
        return "pubkey-hash"
    data, is_tdx = (evidence[80:144], False) if tag == 0x1A7504 else report_data(evidence)
    wanted = [hashlib.sha256(claims).digest() + bytes(32)]
    if is_tdx:
        wanted.append(hashlib.sha384(claims).digest() + bytes(16))
    return None if data in wanted else "report data"


def key_of(pem):
    text = openssl("x509", "-noout", "-pubkey", stdin=pem).stdout
    return base64.b64decode(b"".join(text.split(b"\n")[1:-2])), text


def judge(d, dialect, der):
    """Why the certificate is none of this dialect; [] when all is well."""
    wrong = []
    pem = ssl.DER_cert_to_PEM_cert(der).encode()
    (d / "shown.pem").write_bytes(pem)
    spki, _ = key_of(pem)
    run = openssl("verify", "-check_ss_sig", "-CAfile", d / "shown.pem", d / "shown.pem")
    if run.returncode != 0:
        wrong.append(f"openssl verify: {run.stderr}")
    text = openssl("x509", "-noout", "-text", stdin=pem).stdout.decode()
    if "Version: 3" not in text or "CA:FALSE" not in text:
        wrong.append("openssl x509")
    listed = openssl("asn1parse", stdin=pem).stdout.decode()
    found = {oid: value for oid, critical, value in extensions(der) if not critical}
    order = [oid for oid, _, _ in extensions(der)]
    value = found.get(CMW if dialect == "ra-tls-cmw" else TCG, b"")
    if dialect == "ra-tls-cmw":
        tag, record, end = der_item(value)
        (_, media_type), (_, value), kind = cbor_all(record)
        if tag != 4 or end != len(found[CMW]) or media_type.decode() != MEDIA_TYPE or kind != 4:
            wrong.append("the wrapper")
    elif not re.search(r"OBJECT\s+:2\.23\.133\.5\.4\.9$", listed, re.M):
        wrong.append("openssl asn1parse does not show the extension")
    if not 256 <= len(value) <= 8192:
        wrong.append(f"{len(value)} bytes")
    why = tagged_is_bound(value, spki)
    if why is not None:
        wrong.append(why)
    quote = cbor_all(value)[2][0][1]
    if not quote_signature_holds(d, quote):
        wrong.append("the quote's signature")
    if dialect == "ra-tls-gramine":
        # Gramine seeks these bytes, and then a length of two bytes
        at = der.find(bytes.fromhex("0606678105050409"))
        if der[at + 8:at + 10] != b"\x04\x82" or order.index(GRAMINE) > order.index(TCG):
            wrong.append("what Gramine looks for")
        if report_data(found[GRAMINE])[0] != hashlib.sha256(spki).digest() + bytes(32) or found[GRAMINE] == quote:
            wrong.append("the first quote")
        if not quote_signature_holds(d, found[GRAMINE]):
            wrong.append("the first quote's signature")
    if dialect == "ra-tls-sdk" and (found[SDK] != quote or order.index(SDK) > order.index(TCG)):
        wrong.append("the SDK's quote")
    return wrong


# --- Python connects ---

def connected(port, most=ssl.TLSVersion.TLSv1_3):
    """Plain TLS, whatever certificate comes: it, and the version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = most
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain) as tls:
            return tls.getpeercert(True), tls.version()


def what_atls_shows(d, pki, backend):
    certificates = []
    for dialect, tee, options in (("ra-tls", "sgx", ()), ("ra-tls", "tdx", ()), ("ra-tls", "tdx5", ("claims=nonce=0102,role=61",)),
                                  ("ra-tls-cmw", "tdx", ()), ("ra-tls-gramine", "sgx", ()), ("ra-tls-sdk", "sgx", ()),
                                  ("ra-tls-sdk", "tdx", ("hash=sha384",))):
        name = f"{dialect} {tee} {options}"
        more = [word for option in options for word in ("--binding-option", option)]
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", tee, "--binding", dialect, *more) as server:
            der, version = connected(server.port)
            wrong = judge(d, dialect, der)
            report.check(version == "TLSv1.3" and wrong == [], f"{name} is as the dialect has it", wrong)
            certificates.append((dialect, der))
            run = atls("connect", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "--binding", dialect, *more,
                       server.address, stdin=b"hello\n")
            report.check(run.code == 0 and run.out == "HELLO\n" and "key" in run.err, f"{name}: atls connect",
                         f"{run.code} {run.out!r} {run.err}")
    for option, wanted in ((), None), (("--binding-option", "tls12=yes"), "TLSv1.2"):
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "sgx", "--binding", "ra-tls", *option) as server:
            try:
                der, version = connected(server.port, ssl.TLSVersion.TLSv1_2)
                wrong = judge(d, "ra-tls", der)
            except (OSError, ssl.SSLError):
                version, wrong = None, []
            report.check(version == wanted and wrong == [], f"a client of TLS 1.2, {option}", f"{version} {wrong}")
    # The check above can fail: one certificate's evidence beside another's key.
    value = {oid: v for oid, _, v in extensions(certificates[0][1])}[TCG]
    spki, _ = key_of(ssl.DER_cert_to_PEM_cert(certificates[1][1]).encode())
    report.check(tagged_is_bound(value, spki) == "pubkey-hash", "the independent check refuses another's evidence")


# --- Python serves certificates of its own making ---

def cbor_head(major, value):
    for low, width, limit in ((value, 0, 24), (24, 1, 256), (25, 2, 65536), (26, 4, 2 ** 32)):
        if value < limit:
            return bytes([major * 32 + low]) + (value.to_bytes(width, "big") if width else b"")
    raise ValueError(value)


def bstr(b):
    return cbor_head(2, len(b)) + b


def tstr(s):
    return cbor_head(3, len(s)) + s.encode()


def claims_of(spki, *more, algorithm=1):
    digest = hashlib.new({1: "sha256", 7: "sha384", 8: "sha512"}[algorithm], spki).digest()
    pairs = [("pubkey-hash", b"\x82" + cbor_head(0, algorithm) + bstr(digest)), *more]
    return cbor_head(5, len(pairs)) + b"".join(tstr(n) + bstr(v) for n, v in pairs)


def tagged(quote, claims, tag=60000):
    return cbor_head(6, tag) + b"\x82" + bstr(quote) + bstr(claims)


class Maker:
    def __init__(self, d, pki):
        self.d, self.pki = d, pki
        self.key = d / "own.key"
        run = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", self.key)
        report.check(run.returncode == 0, "openssl genpkey", run.stderr)
        self.pem = openssl("pkey", "-in", self.key, "-pubout").stdout
        self.spki = base64.b64decode(b"".join(self.pem.split(b"\n")[1:-2]))

    def quote(self, tee, data):
        out = self.d / "own.quote"
        run = atls("sim", "evidence", "--pki", self.pki, "--tee", tee, "--report-data", data.hex(), "-o", out)
        report.check(run.code == 0, "atls sim evidence", run.err)
        return out.read_bytes()

    def tagged(self, tee, *more, algorithm=1, data="sha256"):
        claims = claims_of(self.spki, *more, algorithm=algorithm)
        return tagged(self.quote(tee, hashlib.new(data, claims).digest()), claims)

    def certificate(self, *parts):
        """A self-signed certificate with (oid, content) in this order; "!oid": critical."""
        config = self.d / "own.cnf"
        lines = [f"{oid.lstrip('!')}={'critical,' if oid[0] == '!' else ''}DER:{content.hex()}" for oid, content in parts]
        config.write_text("[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=made in Python\n[ext]\n"
                          + "\n".join(lines) + "\n")
        out = self.d / "own.pem"
        run = openssl("req", "-x509", "-new", "-key", self.key, "-sha256", "-days", "1", "-config", config, "-out", out)
        report.check(run.returncode == 0, "openssl req", run.stderr)
        return out


def serve_once(certificate, key):
    """A TLS server for one connection: sends back what came, in capitals. Its port, and what it got."""
    got = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.settimeout(20)
                    data = b""
                    while chunk := tls.recv(1000):  # until the client's close_notify
                        data += chunk
                    got.append(data)
                    tls.sendall(data.upper())
                    tls.unwrap()
            except (OSError, ssl.SSLError):
                pass

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1], got


def what_atls_takes(d, pki):
    m = Maker(d, pki)
    good = m.tagged("sgx")
    bad = bytearray(good)
    bad[-1] ^= 1
    other = claims_of(m.spki + b"x")
    other = tagged(m.quote("sgx", hashlib.sha256(other).digest()), other)
    bare = m.quote("sgx", hashlib.sha256(m.spki).digest())
    pem = m.quote("sgx", hashlib.sha256(m.pem + b"\0").digest())
    record = json.dumps([MEDIA_TYPE, base64.urlsafe_b64encode(m.tagged("tdx")).decode().rstrip("="), 4]).encode()
    utf8 = b"\x0c\x82" + len(record).to_bytes(2, "big") + record
    no_key = cbor_head(5, 1) + tstr("nonce") + bstr(b"1")
    no_key = tagged(m.quote("sgx", hashlib.sha256(no_key).digest()), no_key)
    none = ()
    for name, dialect, options, parts, code, said in (
            ("tagged", "ra-tls", none, [(TCG, good)], 0, "ACCEPTED"),
            ("tagged, of a TD", "ra-tls", none, [(TCG, m.tagged("tdx"))], 0, "ACCEPTED"),
            ("tagged, SHA-384 as the SDK does", "ra-tls", none, [(TCG, m.tagged("tdx", algorithm=7, data="sha384"))], 0, "ACCEPTED"),
            ("the same where SHA-256 is pinned", "ra-tls", ("hash=sha256",), [(TCG, m.tagged("tdx", algorithm=7, data="sha384"))], 6,
             "binding.report_data"),
            ("SHA-384 of an enclave", "ra-tls", none, [(TCG, m.tagged("sgx", algorithm=7, data="sha384"))], 6, "binding.report_data"),
            ("a key hash of SHA-512", "ra-tls", none, [(TCG, m.tagged("sgx", algorithm=8))], 0, "ACCEPTED"),
            ("more claims and a nonce", "ra-tls", ("nonce=616263",), [(TCG, m.tagged("sgx", ("nonce", b"abc"), ("key_0", b"v\0")))], 0,
             "ACCEPTED"),
            ("another nonce", "ra-tls", ("nonce=616264",), [(TCG, m.tagged("sgx", ("nonce", b"abc")))], 6, "tcg.nonce"),
            ("wrapped once", "ra-tls", none, [(TCG, b"\x04\x82" + len(good).to_bytes(2, "big") + good)], 0, "ACCEPTED"),
            ("a critical extension", "ra-tls", none, [("!" + TCG, good)], 0, "ACCEPTED"),
            ("another one that is critical", "ra-tls", none, [(TCG, good), ("!1.2.3.4", b"\x05\x00")], 4, "certificate.critical"),
            ("a changed claim", "ra-tls", none, [(TCG, bytes(bad))], 6, "tcg.key"),
            ("another key's", "ra-tls", none, [(TCG, other)], 6, "tcg.key"),
            ("claims without a key", "ra-tls", none, [(TCG, no_key)], 4, "tcg.pubkey_hash"),
            ("nothing", "ra-tls", none, [("1.2.3.4", b"\x05\x00")], 5, "session.no_evidence"),
            ("Gramine's two", "ra-tls-gramine", none, [(GRAMINE, bare), (TCG, good)], 0, "ACCEPTED"),
            ("Gramine's old one", "ra-tls-gramine", none, [(GRAMINE, bare)], 0, "ACCEPTED"),
            ("Gramine's old one, where it is not taken", "ra-tls", none, [(GRAMINE, bare)], 5, "session.no_evidence"),
            ("a good old one beside a bad new one", "ra-tls-gramine", none, [(GRAMINE, bare), (TCG, bytes(bad))], 6, "tcg.key"),
            ("the SDK's old one", "ra-tls-sdk", none, [(SDK, pem)], 0, "ACCEPTED"),
            ("the SDK's over the key's DER", "ra-tls-sdk", none, [(SDK, bare)], 6, "binding.report_data"),
            ("the SDK's two", "ra-tls-sdk", none, [(SDK, cbor_all(good)[2][0][1]), (TCG, good)], 0, "ACCEPTED"),
            ("a wrapper in JSON", "ra-tls-cmw", none, [(CMW, utf8)], 0, "ACCEPTED"),
            ("a wrapper around nothing known", "ra-tls-cmw", none, [(CMW, b"\x04\x09\x82\x19\x01\x07\x44\xde\xad\xbe\xef")], 4,
             "cmw.type")):
        port, got = serve_once(m.certificate(*parts), m.key)
        more = [word for option in options for word in ("--binding-option", option)]
        run = atls("connect", "--timeout", "20", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "--binding", dialect,
                   *more, f"127.0.0.1:{port}", stdin=b"secret")
        report.check(run.code == code and said in run.err, name, f"{run.code} {run.out!r} {run.err}")
        report.check((run.out == "SECRET" and got == [b"secret"]) if code == 0 else (run.out == "" and not any(got)),
                     f"{name}: data only to whom is accepted", f"{run.out!r} {got}")


def main():
    backend = Backend()
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "a simulated platform")
        what_atls_shows(d, pki, backend)
        what_atls_takes(d, pki)
    report.end()


if __name__ == "__main__":
    main()
