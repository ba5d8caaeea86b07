#!/usr/bin/env python3
"""Certificates with evidence in dstack's extension, judged by what is written down once more here: DER, SCALE, JSON, hashes
and the place of report data in a TDX quote, with Python's own TLS and openssl's commands. The certificates are those that
`atls proxy server` shows (Flashbots'), and those that are made here and shown to `atls connect` (dstack's)."""
import base64
import datetime
import hashlib
import json
import pathlib
import ssl
import tempfile

from cli import Report, atls
from test_connect import Backend, Server
from test_ra_tls_certificates import connected, extensions, key_of, openssl, serve_once

report = Report()
ATTESTATION = "1.3.6.1.4.1.62397.1.8"
QUOTE = "1.3.6.1.4.1.62397.1.1"
LOG = "1.3.6.1.4.1.62397.1.2"


# --- SCALE ---

class Scale:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n:self.at]

    def compact(self):
        width = (1, 2, 4)[self.data[self.at] % 4]
        return int.from_bytes(self.take(width), "little") >> 2

    def vec(self):
        return self.take(self.compact())


def compact(n):
    for mode, width, limit in ((0, 1, 1 << 6), (1, 2, 1 << 14), (2, 4, 1 << 30)):
        if n < limit:
            return (n * 4 + mode).to_bytes(width, "little")
    raise ValueError(n)


def vec(b):
    return compact(len(b)) + b


def octets(value):
    """The content of one OCTET STRING that is all of value."""
    assert value[0] == 4
    length, at = value[1], 2
    if length > 127:
        at = 2 + length - 128
        length = int.from_bytes(value[2:at], "big")
    assert len(value) == at + length
    return value[at:]


def wrapped(content):
    n = len(content)
    head = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return b"\x04" + head + content


# --- Flashbots' form ---

def dates_and_name(pem):
    text = openssl("x509", "-noout", "-dates", "-dateopt", "iso_8601", "-subject", "-nameopt", "multiline", stdin=pem).stdout.decode()

    def seconds(line):
        return int(datetime.datetime.fromisoformat(line.split("=")[1].strip().replace("Z", "+00:00")).timestamp())
    lines = text.splitlines()
    names = [line.split("=")[1].strip() for line in lines if "commonName" in line]
    return seconds(lines[0]), seconds(lines[1]), names


def flashbots_is_bound(d, der):
    """None, or what is wrong with the certificate."""
    pem = ssl.DER_cert_to_PEM_cert(der).encode()
    (d / "shown.pem").write_bytes(pem)
    spki, _ = key_of(pem)
    if openssl("verify", "-check_ss_sig", "-CAfile", d / "shown.pem", d / "shown.pem").returncode != 0:
        return "openssl verify"
    value = {oid: v for oid, critical, v in extensions(der) if not critical}.get(ATTESTATION, b"")
    s = Scale(octets(value))
    if s.take(2) != b"\0\0":
        return "version or platform"
    document = json.loads(s.vec())
    if s.compact() != 0 or s.compact() != 0:
        return "events"
    stored = s.take(64)
    if s.vec() != b"" or s.at != len(s.data):
        return "what stands behind"
    before, after, names = dates_and_name(pem)
    if len(names) != 1 or after - before != 300:
        return f"names {names}, {after - before} s"
    wanted = hashlib.sha512(spki + before.to_bytes(8, "big") + after.to_bytes(8, "big") + names[0].encode()).digest()
    if stored != wanted:
        return "stored report data"
    if "attestation_evidence" in document:
        quote = base64.b64decode(document["attestation_evidence"]["quote"], validate=True)
        kind = document["attestation_evidence"]["platform"]["attestation_type"]
    else:
        quote, kind = bytes(document["attestation"]), document["attestation_type"]
    return None if quote[568:632] == wanted and kind.endswith("-tdx") else "the quote's report data"


def what_atls_shows(d, pki, backend):
    for options in ((), ("form=2025",), ("name=builder.test", "type=gcp-tdx")):
        more = [word for option in options for word in ("--binding-option", option)]
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx", "--binding", "ra-tls-flashbots", *more) as server:
            der, version = connected(server.port)
            why = flashbots_is_bound(d, der)
            report.check(why is None and version == "TLSv1.3", f"a certificate of ours, {options}", why)
            run = atls("connect", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "--binding", "ra-tls-flashbots",
                       server.address, stdin=b"hello\n")
            report.check(run.code == 0 and run.out == "HELLO\n", f"atls connect, {options}", f"{run.code} {run.err}")


# --- dstack's own forms ---

TDX = slice(48, 632)  # the TD report in a quote of version 4; in it RTMR3 at 472, report data at 520
RUNTIME = 0x08000001


def digest_of(name, payload, version):
    if version == 2:  # the canonical JSON of its members, sorted and without spaces
        text = json.dumps({"name": name.decode(), "payload": payload.hex(), "type": RUNTIME}, separators=(",", ":"), sort_keys=True)
        return hashlib.sha384(text.encode()).digest()
    return hashlib.sha384(RUNTIME.to_bytes(4, "little") + b":" + name + b":" + payload).digest()


def rtmr3_of(events):
    register = bytes(48)
    for event in events:
        register = hashlib.sha384(register + digest_of(*event)).digest()
    return register


class Msgpack:
    """What the attestation of version 1 uses of MessagePack."""
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def value(self):
        b = self.number(1)
        if b < 0x80:
            return b
        if b < 0x90 or b in (0xde, 0xdf):
            n = b & 15 if b < 0x90 else self.number(2 << (b - 0xde))
            return {self.value(): self.value() for _ in range(n)}
        if b < 0xa0 or b in (0xdc, 0xdd):
            n = b & 15 if b < 0xa0 else self.number(2 << (b - 0xdc))
            return [self.value() for _ in range(n)]
        if b < 0xc0 or b in (0xd9, 0xda, 0xdb):
            return self.take(b & 31 if b < 0xc0 else self.number(1 << (b - 0xd9))).decode()
        if b in (0xc4, 0xc5, 0xc6):
            return self.take(self.number(1 << (b - 0xc4)))
        if b in (0xcc, 0xcd, 0xce, 0xcf):
            return self.number(1 << (b - 0xcc))
        raise ValueError(hex(b))


def attestation_parts(content):
    """Quote and runtime events of either version, platform TDX; its own copy of the report data."""
    if content[:1] != b"\0":
        m = Msgpack(content)
        a = m.value()
        data = a["stack"]["data"]
        if m.at != len(content) or a["version"] != 1 or a["platform"]["kind"] != "tdx":
            raise ValueError("version, platform, or what stands behind")
        events = [(e["event"].encode(), bytes(e["payload"]), e.get("version", 1)) for e in data["runtime_events"]]
        return bytes(a["platform"]["data"]["quote"]), events, bytes(data["report_data"])
    s = Scale(content)
    if s.take(2) != b"\0\0":
        raise ValueError("version or platform")
    quote = s.vec()
    for _ in range(s.compact()):  # the log of what was measured at boot
        s.take(8)
        s.vec(), s.vec(), s.vec()
    events = [(s.vec(), s.vec(), 1) for _ in range(s.compact())]
    stored = s.take(64)
    s.vec()
    if s.at != len(s.data):
        raise ValueError("what stands behind")
    return quote, events, stored


def older_parts(quote, log):
    events = [(e["event"].encode(), bytes.fromhex(e["event_payload"]), e.get("version", 1)) for e in json.loads(log)
              if e["imr"] == 3 and e["event_type"] == RUNTIME]
    return quote, events, None


def dstack_is_bound(d, der, use=b"ratls-cert:"):
    """None, or what is wrong with the certificate."""
    pem = ssl.DER_cert_to_PEM_cert(der).encode()
    (d / "shown.pem").write_bytes(pem)
    spki, _ = key_of(pem)
    if openssl("verify", "-check_ss_sig", "-CAfile", d / "shown.pem", d / "shown.pem").returncode != 0:
        return "openssl verify"
    found = {oid: octets(v) for oid, critical, v in extensions(der) if oid.startswith("1.3.6.1.4.1.62397.1.") and not critical}
    if ATTESTATION in found:
        quote, events, stored = attestation_parts(found[ATTESTATION])
    else:
        quote, events, stored = older_parts(found[QUOTE], found[LOG])
    wanted = hashlib.sha512(use + spki).digest()
    report_ = quote[TDX]
    if stored not in (None, wanted):
        return "stored report data"
    if not events or report_[472:520] != rtmr3_of(events):
        return f"RTMR3, of {len(events)} events"
    return None if report_[520:584] == wanted else "the quote's report data"


def what_atls_shows_as_dstack(d, pki, backend):
    for form in ("attestation", "quote"):
        with Server(backend, "--attest", "sim", "--sim", pki, "--tee", "tdx", "--event-log", "dstack", "--binding", "ra-tls-dstack",
                    "--binding-option", f"form={form}") as server:
            der, version = connected(server.port)
            why = dstack_is_bound(d, der)
            report.check(why is None and version == "TLSv1.3", f"a certificate of ours, form={form}", why)
            report.check((ATTESTATION in [oid for oid, _, _ in extensions(der)]) == (form == "attestation"), f"form={form} is that form")
            report.check(dstack_is_bound(d, der, b"app-data:") is not None, "a certificate for another use is noticed by this check too")


# --- certificates made here ---

def make(d, name, parts):
    config = d / "own.cnf"
    config.write_text("[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=guest\n[ext]\n"
                      + "".join(f"{oid}=DER:{wrapped(content).hex()}\n" for oid, content in parts))
    out = d / name
    run = openssl("req", "-x509", "-new", "-key", d / "own.key", "-sha256", "-days", "1", "-config", config, "-out", out)
    report.check(run.returncode == 0, "openssl req", run.stderr)
    return out


def quote_over(d, pki, data):
    out = d / "own.quote"
    run = atls("sim", "evidence", "--pki", pki, "--tee", "tdx", "--report-data", data.hex(), "-o", out)
    report.check(run.code == 0, "atls sim evidence", run.err)
    return out.read_bytes()


def attestation(quote, stored):
    """Version 0, with one runtime event."""
    event = vec(b"system-ready") + vec(b"")
    return b"\0\0" + vec(quote) + compact(0) + compact(1) + event + stored + vec(b"{}")


def what_atls_refuses(d, pki):
    """The simulator's command makes no dstack log: its quotes cannot pass. Each refusal by its own name."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", d / "own.key")
    spki = base64.b64decode(b"".join(openssl("pkey", "-in", d / "own.key", "-pubout").stdout.split(b"\n")[1:-2]))
    data = hashlib.sha512(b"ratls-cert:" + spki).digest()
    other = hashlib.sha512(b"app-data:" + spki).digest()
    quote = quote_over(d, pki, data)
    log = json.dumps([{"imr": 3, "event_type": 0x08000001, "digest": "", "event": "system-ready", "event_payload": ""}]).encode()
    for what, parts, code, check in (
            ("events that RTMR3 does not bear out", [(ATTESTATION, attestation(quote, data))], 4, "log.rtmr3"),
            ("likewise in the older form", [(QUOTE, quote), (LOG, log)], 4, "log.rtmr3"),
            ("an attestation over the key for another use", [(ATTESTATION, attestation(quote, other))], 6, "dstack.report_data"),
            ("an attestation cut short", [(ATTESTATION, attestation(quote, data)[:-1])], 4, "dstack.attestation.format"),
            ("a quote without log", [(QUOTE, quote)], 4, "dstack.event_log")):
        port, _ = serve_once(make(d, "own.pem", parts), d / "own.key")
        run = atls("connect", "--insecure-sim-root", pki / "root.pem", "--collateral", pki, "--binding", "ra-tls-dstack",
                   f"127.0.0.1:{port}", stdin=b"hello\n")
        report.check(run.code == code and run.out == "" and check in run.err, what, f"{run.code} {run.err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        pki = d / "pki"
        report.check(atls("sim", "pki", pki).code == 0, "atls sim pki")
        backend = Backend()
        what_atls_shows(d, pki, backend)
        what_atls_shows_as_dstack(d, pki, backend)
        what_atls_refuses(d, pki)
    report.end()


if __name__ == "__main__":
    main()
