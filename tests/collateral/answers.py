"""What an origin has to give: path and query -> status, headers, body, made from what `atls sim pki` wrote.

The same for Intel's PCS, a PCCS (which also has rootcacrl as hex, and PCK certificates), AMD's KDS and a JWK set.
"""
import base64
import json
import os
import re
import subprocess
import tempfile
import urllib.parse

SGX, TDX = "/sgx/certification/v4", "/tdx/certification/v4"
ROOT_CRL = "/IntelSGXRootCA.der"

# GUIDs of AMD's certificate table, as they stand in it.
TABLE = {
    "63da758de6644564adc5f4b93be8accd": "vcek",
    "a8074bc2a25a483eaae639c045a0b8a1": "vlek",
    "4ab7b379bbac4fe4a02f05aef327c782": "ask",
    "c0b406a4a803495297433fb6014cd0ae": "ark",
    "92f81bc358114d3d97ffd19f88dc67ea": "crl",
}


class Answer:
    def __init__(self, body, content_type, **headers):
        self.status = 200
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = {"Content-Type": content_type}
        self.headers.update({name.replace("_", "-"): value for name, value in headers.items()})


def coded(pem):
    return urllib.parse.quote(pem, safe="-._~")


def normal(path_and_query):
    """Path, and the query without what means nothing: its order, its case, leading zeros, and standard's name."""
    path, _, query = path_and_query.partition("?")
    pairs = []
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if name == "update" and value == "standard":
            continue
        pairs.append((name, str(int(value)) if name.endswith("SPL") and value.isdigit() else value.lower()))
    if path.startswith(("/vcek/", "/vlek/")):
        head, _, last = path.rpartition("/")
        path = head + "/" + (last.lower() if len(last) >= 16 and re.fullmatch("[0-9a-fA-F]+", last) else last)
    return path, tuple(sorted(pairs))


class Answers:
    def __init__(self):
        self.by_request = {}
        self.by_path = {}  # whatever the query says

    def add(self, path_and_query, answer):
        self.by_request[normal(path_and_query)] = answer

    def find(self, path_and_query):
        path, query = normal(path_and_query)
        return self.by_request.get((path, query)) or self.by_path.get(path)

    # --- Intel ---

    def add_intel(self, directory, update=""):
        """collateral-sgx.json and collateral-tdx.json; update: "update=early" or "tcbEvaluationDataNumber=N"."""
        for tee, base in (("sgx", SGX), ("tdx", TDX)):
            path = os.path.join(directory, f"collateral-{tee}.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    self.add_collateral(base, json.load(f), update)
        state = os.path.join(directory, "state.json")
        if os.path.exists(state):
            with open(state, encoding="utf-8") as f:
                s = json.load(f)
            self.by_path[SGX + "/pckcert"] = Answer(
                s["platforms"][0]["pck"], "application/x-pem-file",
                SGX_PCK_Certificate_Issuer_Chain=coded(s["ca"] + s["chain_root"]),
                SGX_TCBm="00" * 18, SGX_FMSPC="53494D000000", SGX_PCK_Certificate_CA_Type="platform")
        return self

    def add_collateral(self, base, c, update):
        fmspc = json.loads(c["tcb_info"])["fmspc"]
        more = "&" + update if update else ""
        tcb = '{"tcbInfo":%s,"signature":"%s"}' % (c["tcb_info"], c["tcb_info_signature"])
        qe = '{"enclaveIdentity":%s,"signature":"%s"}' % (c["qe_identity"], c["qe_identity_signature"])
        self.add(f"{base}/tcb?fmspc={fmspc}{more}",
                 Answer(tcb, "application/json", TCB_Info_Issuer_Chain=coded(c["tcb_info_issuer_chain"])))
        self.add(f"{base}/qe/identity" + ("?" + update if update else ""),
                 Answer(qe, "application/json", SGX_Enclave_Identity_Issuer_Chain=coded(c["qe_identity_issuer_chain"])))
        if update:
            return  # the CRLs are the same for all channels
        chain = coded(c["pck_crl_issuer_chain"])
        for ca in ("platform", "processor"):
            self.add(f"{SGX}/pckcrl?ca={ca}&encoding=der",
                     Answer(bytes.fromhex(c["pck_crl"]), "application/pkix-crl", SGX_PCK_CRL_Issuer_Chain=chain))
            self.add(f"{SGX}/pckcrl?ca={ca}", Answer(c["pck_crl"], "text/html", SGX_PCK_CRL_Issuer_Chain=chain))
        self.add(f"{SGX}/rootcacrl", Answer(c["root_ca_crl"], "text/html; charset=utf-8"))
        self.add(ROOT_CRL, Answer(bytes.fromhex(c["root_ca_crl"]), "application/pkix-crl"))

    # --- AMD ---

    def add_amd(self, bundle, product="Milan", roots=""):
        """A bundle that `atls sim evidence --tee snp` wrote: its certificates become the KDS's answers; the ARK is among
        roots (PEM)."""
        report = base64.b64decode(bundle["report"])
        parts = table_parts(base64.b64decode(bundle["certs"]))
        chip, tcb = report[0x1A0:0x1E0], report[0x180:0x188]
        signer = "vcek" if "vcek" in parts else "vlek"
        if signer == "vcek":
            if product == "Turin":
                chip, names = chip[:8], (("fmc", 0), ("bl", 1), ("tee", 2), ("snp", 3), ("ucode", 7))
            else:
                names = (("bl", 0), ("tee", 1), ("snp", 6), ("ucode", 7))
            query = "&".join(f"{name}SPL={tcb[at]:02}" for name, at in names)
            self.add(f"/vcek/v1/{product}/{chip.hex()}?{query}",
                     Answer(parts["vcek"], "application/octet-stream"))
        self.add(f"/{signer}/v1/{product}/cert_chain",
                 Answer(pem(parts["ask"]) + ark(roots, product), "application/x-pem-file"))
        if "crl" in parts:
            self.add(f"/{signer}/v1/{product}/crl", Answer(parts["crl"], "application/pkix-crl"))
        return self

    def add_jwks(self, path, text):
        self.add(path, Answer(text, "application/json"))
        return self


def table_parts(table):
    parts = {}
    for at in range(0, len(table), 24):
        guid, offset, length = table[at:at + 16], table[at + 16:at + 20], table[at + 20:at + 24]
        if guid == b"\0" * 16:
            break
        start = int.from_bytes(offset, "little")
        parts[TABLE.get(guid.hex(), guid.hex())] = table[start:start + int.from_bytes(length, "little")]
    return parts


def ark(roots, product):
    """The certificate of ARK-PRODUCT."""
    for block in re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END", roots, re.S):
        der = base64.b64decode("".join(block.split()))
        if b"ARK-" + product.encode() in der:
            return pem(der)
    raise ValueError(f"no ARK-{product} among the roots")


def pem(der):
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def of_directory(directory):
    """All that a directory has: what `atls sim pki` wrote, evidence of SNP as snp*.json, a JWK set as jwks.json."""
    answers = Answers().add_intel(directory)
    with open(os.path.join(directory, "root.pem"), encoding="utf-8") as f:
        roots = f.read()
    for name in sorted(os.listdir(directory)):
        if name.startswith("snp") and name.endswith(".json"):
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                product = name[3:-5].strip("-").capitalize() or "Milan"
                answers.add_amd(json.load(f), product, roots)
        elif name in ("jwks.json", "endorsement-jwt"):
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                answers.add_jwks("/jwks", f.read())
    return answers


def make_world(atls, directory, at=None, families=(), fault=None, products=("milan",)):
    """A new simulated world in directory, ready for of_directory. families: "snp", "jwt"."""
    more = (["--at", at] if at else []) + (["--family", ",".join(families)] if families else [])
    more += ["--fault", fault] if fault else []
    subprocess.run([atls, "sim", "pki", *more, directory], check=True, stdout=subprocess.DEVNULL)
    if "snp" in families:
        for product in products:
            out = os.path.join(directory, "snp.json" if product == "milan" else f"snp-{product}.json")
            tee = "snp" if product == "milan" else f"snp:{product}"
            subprocess.run([atls, "sim", "evidence", "--pki", directory, "--tee", tee, "-o", out], check=True)
    return directory


def renewed_world(atls, directory, out, number, at=None, change=None):
    """The same platform as in directory, its collateral issued anew with another number: newer, or an older one to go back to;
    change: "recovery"."""
    more = (["--at", at] if at else []) + (["--change", change] if change else [])
    subprocess.run([atls, "sim", "pki", "--renew", directory, "--number", str(number), *more, out], check=True,
                   stdout=subprocess.DEVNULL)
    return out


def tls_certificate(directory=None):
    """A self-signed certificate for 127.0.0.1 and localhost, and its key: two files."""
    directory = directory or tempfile.mkdtemp()
    cert, key = os.path.join(directory, "origin-cert.pem"), os.path.join(directory, "origin-key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=scripted origin", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key,
         "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return cert, key
