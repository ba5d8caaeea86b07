#include "verify/remedy.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The subject is the id's own last word: a register, a field. */
static const char LAST_WORD[] = "";

#define GET_COLLATERAL                                                                             \
    "Get current collateral (TCB info, QE identity, revocation lists) for this platform and TEE, " \
    "and give it with --collateral; look at the clock, too."
#define PEER_IS_WRONG                                                                              \
    "The peer does not speak the protocol as it is specified: update it, or find out who it is."
#define DAMAGED "The evidence is damaged or forged: get it anew from the machine, whole."
#define TWO_MACHINES                                                                               \
    "Parts of two machines were put together: do not trust it, and get all parts from one machine at once."
#define GIVE_ISSUERS                                                                               \
    "Give the issuers' certificates with --endorsement, or the root with --root tpm:FILE."
#define NITRO_TIME                                                                                     \
    "Look at the clock; AWS's certificates live for hours: get a new document, or judge a stored one " \
    "as of its time with --at."
#define DEFECT "Report this as a defect of atls, with the evidence."

static const struct {
    const char *id; /* whole, or a prefix that ends where an id has its dot */
    const char *subject;
    const char *remedy;
} table[] = {
    {"attachment", NULL, PEER_IS_WRONG},
    {"attester", NULL, "The attester of this machine gave no evidence: look at its own message."},
    {"authenticator", NULL, PEER_IS_WRONG},
    {"authenticator.context", NULL,
     "A replay, or a peer that mixes up its requests: connect again."},
    {"authenticator.finished", NULL,
     "Somebody may stand between you and the peer (a TLS-intercepting proxy, a relay): connect without it."},
    {"authenticator.signature", NULL,
     "The peer does not hold the key of its certificate: do not trust it."},
    {"batch", NULL, PEER_IS_WRONG},
    {"binding", NULL, "The evidence was made for another connection: connect again."},
    {"binding.nonce", "nonce",
     "The evidence was made for another nonce: ask the peer for evidence of this one."},
    {"binding.report_data", "report data",
     "The evidence was made for another connection or key: somebody may stand between you and the peer, or show what he recorded. Send nothing; ask the peer itself for evidence of this one."},
    {"bundle", NULL, "Make the bundle anew; its form is described in docs/checks.md under bundle."},
    {"cca", NULL, DAMAGED},
    {"cca.binding", NULL,
     "Somebody put tokens of two places together: do not trust it, and find out where they come from."},
    {"cca.platform.trust_anchor", NULL,
     "Give the platform's trust anchor with --endorsement, if you know its key to be genuine."},
    {"cert", NULL, DAMAGED},
    {"certificate", NULL, "Ask who made the certificate for one that is whole."},
    {"certificate.evidence", NULL,
     "Name its dialect with --binding: older ones are not read without."},
    {"certificate.signature", NULL,
     "Whoever showed it need not hold its key: do not trust it. Of a CA it can be judged in a connection only, with --ca."},
    {"certificate.time", NULL, "Look at the clock; if it is right, the peer must make a new one."},
    {"clock", "clock",
     "Set the clock of this machine; the store's floors file says what was seen."},
    {"collateral", NULL, GET_COLLATERAL},
    {"collateral.rollback", NULL,
     "Somebody gave collateral older than what was seen before: get the present one from its vendor (atls collateral fetch), and look at who serves the old."},
    {"config", NULL, "Correct the configuration; see docs/checks.md."},
    {"cose", NULL, DAMAGED},
    {"credential.ak", NULL,
     "Make an attestation key: restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin, and not decrypt."},
    {"credential.ek", NULL,
     "Give the TPM's endorsement key: its certificate, or its public area of a default template."},
    {"credential.secret", NULL, "Give a secret of 1 to 32 bytes."},
    {"crl", NULL, GET_COLLATERAL},
    {"crypto", NULL, "Look at the OpenSSL installation."},
    {"dummy.length", NULL, "Give the report data alone, at most 64 bytes."},
    {"dummy.refused", NULL,
     "Ask the peer for evidence of its hardware. For a test --insecure-dummy-evidence takes it, and marks the verdict."},
    {"evidence", NULL, "Give evidence of a known format: a quote, or a bundle of parts."},
    {"exporter", NULL, "Look at the OpenSSL installation."},
    {"frame", NULL, PEER_IS_WRONG},
    {"key", NULL, DAMAGED},
    {"leaf", NULL, DAMAGED},
    {"nitro", NULL, DAMAGED},
    {"nitro.chain.root", NULL,
     "The document is not under AWS's root: do not trust it. For the China and GovCloud partitions give their root with --root aws:FILE."},
    {"nitro.document.time", NULL, NITRO_TIME},
    {"nitro.instance.time", NULL, NITRO_TIME},
    {"nitro.leaf.time", NULL, NITRO_TIME},
    {"nitro.regional.time", NULL, NITRO_TIME},
    {"nitro.root.time", NULL, NITRO_TIME},
    {"nitro.zonal.time", NULL, NITRO_TIME},
    {"log", NULL,
     "Get the event log anew, whole, from the same boot as the quote; if it stays so, it was changed: docs/event-logs.md."},
    {"log.ima", NULL,
     "Get the IMA list anew, whole, after the quote and from the same boot; if it stays so, it was changed: docs/event-logs.md."},
    {"log.legacy", NULL,
     "Switch the machine's firmware to a SHA-256 bank: a log of SHA-1 digests cannot be judged."},
    {"payload", NULL, PEER_IS_WRONG},
    {"pck", NULL,
     "The platform's certificate does not hold: get a new quote with its whole chain, and do not trust the platform until it does."},
    {"pck.chain.time", NULL,
     "Look at the clock; if it is right, the platform needs a new certificate."},
    {"pck.leaf.crl", NULL, "The vendor has revoked this platform: take it out of use."},
    {"pck.missing", NULL,
     "Put the platform's certificate chain (pck_certificate_chain) beside the collateral."},
    {"pck_crl", NULL, GET_COLLATERAL},
    {"policy", NULL, "See docs/policy.md."},
    {"policy.azure", LAST_WORD,
     "This is not a confidential VM of Azure, or not its paravisor's report: do not trust it."},
    {"policy.binding", "binding",
     "Use one of the bindings that the policy accepts; \"evidence-alone\" among them lets a file be judged."},
    {"policy.cca", LAST_WORD,
     "Compare what runs there with what the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.collateral_age", "issue date of the oldest collateral", GET_COLLATERAL},
    {"policy.collateral_grace", "collateral",
     "Make the origin of the collateral reachable, or bring it by a bundle; tcb.collateral_grace_days in the policy bridges some days."},
    {"policy.crl", "AMD's revocation list",
     "Get the CRL of this product from AMD's key distribution service and give it with --endorsement; or let the workload say \"crl\": \"if-present\"."},
    {"policy.debug", "debug mode",
     "Start the workload without debug: its memory can be read by the host."},
    {"policy.event", NULL,
     "Compare what was started there with what the policy was made for; the event log must be given whole."},
    {"policy.evidence_age", "time of the evidence", "Ask the peer for new evidence."},
    {"policy.fmspc", "platform model (FMSPC)",
     "Add the model to fmspc in the policy if it is meant."},
    {"policy.init", "SGX attribute INIT", "The enclave was never initialised: do not trust it."},
    {"policy.jwt", LAST_WORD, "Compare the token with the one that the policy was made for."},
    {"policy.lifecycle", "security life cycle of the platform",
     "The platform can be looked into (development, test): use one that is secured."},
    {"policy.migratable", "TD",
     "Start the TD as not migratable, or allow migratable and pin the migration TD in service_td."},
    {"policy.migration_agent", "migration agent",
     "Start the guest with a policy that allows no migration agent (bit 18 clear)."},
    {"policy.nitro", LAST_WORD,
     "Compare what runs there with what the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.nitrotpm", LAST_WORD,
     "Compare what runs there with what the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.owner", LAST_WORD,
     "The same code under another owner's configuration, perhaps: make sure that you speak to your own deployment."},
    {"policy.pki", "peer's name by PKI",
     "Connect to one of the names in pki, with a certificate of your CA; a file of evidence alone has no name."},
    {"policy.platform", LAST_WORD,
     "Add the machine to platforms in the policy if you know it to be yours."},
    {"policy.replay", NULL, "Give the whole event log beside the evidence."},
    {"policy.reserved", "mask of reserved attribute bits",
     "The TD has attributes that are not known to be safe: update atls, or the host."},
    {"policy.sept", "attribute SEPT_VE_DISABLE",
     "Start the TD with SEPT_VE_DISABLE, or allow sept_ve_disable_clear if its guest is known to be safe without."},
    {"policy.service_td", "service TD (MRSERVICETD)",
     "Pin the service TD in allow.service_td of the policy if you trust it with this TD's secrets."},
    {"policy.sgx", LAST_WORD,
     "Compare the enclave that runs there with the one the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.snp", LAST_WORD,
     "Compare what runs there with what the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.snp.csp_id", "cloud provider's id (VLEK)",
     "Name the provider in amd.csp_id of the policy if you trust its key."},
    {"policy.snp.firmware_min", "AMD firmware", "Update the machine's firmware, and commit it."},
    {"policy.snp.launch_tcb", NULL, "Update the machine, and start the guest anew."},
    {"policy.snp.masked_chip", "chip id",
     "Let the machine show its chip id, or allow amd.masked_chip in the policy."},
    {"policy.snp.provisional", "AMD firmware", "Let the machine commit its firmware."},
    {"policy.snp.tcb", NULL,
     "Update the machine's firmware and commit it; a model that tcb_min does not name needs an entry there."},
    {"policy.snp.vlek", "signing key",
     "Let the machine sign with its own key (VCEK), or accept a provider's."},
    {"policy.status", "token's own status",
     "The issuer of the token does not affirm the peer: look at its reasons, in the token."},
    {"policy.tdx", LAST_WORD,
     "Compare the build that runs there with the one the policy was made for; add a set to the policy if the new one is meant."},
    {"policy.tee", "kind of TEE",
     "Let the workload's tees name it, or run the workload elsewhere."},
    {"policy.tpm", LAST_WORD,
     "Compare what runs there with what the policy was made for; add a set to the policy if the new one is meant."},
    {"qe_identity", NULL, GET_COLLATERAL},
    {"qe_report", NULL, DAMAGED},
    {"quote", NULL, DAMAGED},
    {"request", NULL, PEER_IS_WRONG},
    {"root_crl", NULL, GET_COLLATERAL},
    {"session", NULL, "Connect again; if it stays, see docs/checks.md for what this check means."},
    {"session.no_evidence", NULL,
     "The peer does not attest: start it with an attester, or connect to the right one."},
    {"session.refused", NULL, "The peer refused our evidence: its own log says why."},
    {"snp", NULL,
     "This is no evidence of a genuine AMD platform, or it was damaged: get it anew from the machine, and do not trust it until it holds."},
    {"snp.ca.crl", NULL,
     "AMD has revoked this certificate authority: take the machine out of use."},
    {"snp.ca.missing", NULL,
     "Give the ASK or ASVK (the chain that AMD's key distribution service serves) with --endorsement."},
    {"snp.chip_id", NULL,
     "Get the VCEK of this very chip: evidence and certificate are of two machines."},
    {"snp.crl", NULL,
     "Get the current CRL of this product from AMD's key distribution service and give it with --endorsement; look at the clock, too."},
    {"snp.leaf.missing", NULL,
     "Get the VCEK of this chip and TCB from AMD's key distribution service (a VLEK from the host) and give it with --endorsement."},
    {"snp.leaf.tcb", NULL,
     "Get the VCEK for the TCB that the report names: the firmware was updated since this one was made."},
    {"snp.leaf.time", NULL, "Get the platform's current certificate; look at the clock, too."},
    {"snp.table", NULL,
     "The host's certificate table is damaged: get it anew, or give its certificates with --endorsement."},
    {"system", NULL, "Look at the limits of this process."},
    {"tcb", NULL,
     "Update BIOS and microcode (and the TDX module) of that machine; newer collateral may know it."},
    {"tcb.advisories", "open advisory of the platform TCB",
     "Update the machine, or name this advisory in advisories_allowed of the policy."},
    {"tcb.evaluation_number", "TCB evaluation number of the collateral", GET_COLLATERAL},
    {"tcb.status", "platform TCB",
     "Update BIOS and microcode (and the TDX module) of that machine, or let the policy name this status or a grace period."},
    {"tcb_info", NULL, GET_COLLATERAL},
    {"tdx_module", NULL, "Update the TDX module of that machine, and get current collateral."},
    {"tls", NULL,
     "The peer's TLS is not what attested TLS needs; see docs/checks.md for what this check means."},
    {"token", NULL,
     "The token is not what its kind has to be: ask its issuer, or who passed it on."},
    {"token.audience", "audience",
     "The token was made for somebody else, and may be replayed: ask for one that is for you."},
    {"token.exp", NULL, "The token has ended: ask for a new one, or judge a stored one with --at."},
    {"token.issuer", "issuer", "The token is of another issuer: ask the one that you trust."},
    {"token.key", NULL,
     "Get the issuer's present JWK set from the issuer, and give it, and no other's, with --endorsement."},
    {"token.signature", NULL,
     "Nobody whose key you gave has signed this token: it is forged, or damaged on its way."},
    {"tpm", NULL, DAMAGED},
    {"tpm.ak.attributes", NULL,
     "Quote with an attestation key (restricted, sign, fixedTPM), not with any signing key."},
    {"tpm.ak.differs", NULL, TWO_MACHINES},
    {"tpm.ak.missing", NULL, "Put ak_public or ak_cert into the bundle."},
    {"tpm.ak.scheme", NULL,
     "The key cannot have made such a signature in its TPM: do not trust it."},
    {"tpm.ak.untrusted", NULL,
     "Give the key with --endorsement, once you know it to be a TPM's (atls keys enroll), or put its certificate into the bundle."},
    {"tpm.ak_cert", NULL, "The certificate is no TPM maker's or cloud's: do not trust it."},
    {"tpm.ak_cert.missing", NULL, GIVE_ISSUERS},
    {"tpm.ak_cert.root", NULL,
     "If you trust the root that the certificate leads to, give it with --root tpm:FILE."},
    {"tpm.ak_cert.time", NULL,
     "Look at the clock; if it is right, the TPM needs a new certificate."},
    {"tpm.ak_cert.usage", NULL, "Give the certificate of the attestation key itself."},
    {"tpm.attest.type", NULL, "Ask the TPM for a quote (TPM2_Quote)."},
    {"tpm.ek", NULL, "The certificate is no TPM maker's: do not trust the TPM."},
    {"tpm.ek.differs", NULL, TWO_MACHINES},
    {"tpm.ek.missing", NULL, GIVE_ISSUERS},
    {"tpm.ek.root", NULL, "If you trust the TPM maker's root, give it with --root tpm:FILE."},
    {"tpm.ek.time", NULL, "Look at the clock."},
    {"tpm.hcl.ak_cert", NULL, TWO_MACHINES},
    {"tpm.hcl.ak_public", NULL, TWO_MACHINES},
    {"tpm.hcl.hash", NULL, "A newer form than is known: update atls."},
    {"tpm.hcl.magic", NULL, "Give what the TPM's NV index 0x01400001 holds, whole."},
    {"tpm.hcl.runtime_data", NULL, TWO_MACHINES},
    {"tpm.hcl.td_quote", NULL,
     "Ask Azure's service (/acc/tdquote) for the quote of this TDREPORT, and put it into the bundle as td_quote."},
    {"tpm.hcl.td_report", NULL, TWO_MACHINES},
    {"tpm.hcl.td_report_data", NULL, TWO_MACHINES},
    {"tpm.hcl.type", NULL, "A newer form than is known: update atls."},
    {"tpm.hcl.version", NULL, "A newer form than is known: update atls."},
    {"tpm.hcl.vmpl", NULL,
     "The guest asked for the report itself, so it could name any key: do not trust it."},
    {"tpm.pcrs.digest", NULL,
     "The PCRs changed between quote and reading, or somebody changed the values: get the quote anew."},
    {"tpm.pcrs.length", NULL,
     "Give the values of the quoted PCRs, one after another, without anything between."},
    {"tpm.pcrs.selection", NULL,
     "Quote at least one PCR, each bank once, for example sha256:0,1,2,3,4,5,6,7."},
    {"tpm.public", NULL,
     "Give the public area of the attestation key (TPM2B_PUBLIC, TPMT_PUBLIC), whole, or its public key in PEM; ECC or RSA, named by SHA-256 or better."},
    {"tpm.quote.signature", NULL,
     "Another key signed, or what it signed was changed: do not trust it; get the quote anew."},
    {"tpm.signature.hash", NULL, "Quote with SHA-256, SHA-384 or SHA-512."},
    {"tpm.signature.scheme", NULL, "Quote with RSASSA, RSAPSS or ECDSA."},
    {"tpm.snp.link", NULL,
     "Nothing ties the report to the TPM: they may be of two machines. Have the report made over the connection, or over the TPM's key."},
    {"tpm.snp.vmpl", NULL,
     "A paravisor runs below the guest, which asked for the report itself: do not trust it."},
    {"verdict", NULL, DEFECT},
};

/* What a check is made of, where the id's other words then tell the rest: "AWS leaf certificate, key usage". */
static const struct {
    const char *id, *thing;
} things[] = {
    {"binding", "binding"},
    {"cca", "CCA token"},
    {"cca.platform", "CCA platform token"},
    {"cca.realm", "CCA realm token"},
    {"cert", "certificate"},
    {"certificate", "certificate with evidence"},
    {"cose", "signed document"},
    {"dummy", "dummy evidence"},
    {"evidence", "evidence"},
    {"log", "event log"},
    {"log.ima", "IMA list"},
    {"nitro", "AWS document"},
    {"nitro.chain", "AWS certificate chain"},
    {"nitro.document", "AWS document"},
    {"nitro.instance", "AWS instance certificate"},
    {"nitro.leaf", "AWS leaf certificate"},
    {"nitro.regional", "AWS regional certificate"},
    {"nitro.root", "AWS root certificate"},
    {"nitro.zonal", "AWS zonal certificate"},
    {"policy", "policy"},
    {"snp", "SNP report"},
    {"snp.ca", "AMD intermediate certificate"},
    {"snp.crl", "AMD revocation list"},
    {"snp.firmware", "AMD firmware"},
    {"snp.leaf", "AMD leaf certificate"},
    {"snp.report", "SNP report"},
    {"snp.root", "AMD root certificate"},
    {"snp.table", "certificate table"},
    {"token", "token"},
    {"tpm", "TPM"},
    {"tpm.ak", "attestation key"},
    {"tpm.ak_cert", "certificate of the attestation key"},
    {"tpm.attest", "TPM attestation"},
    {"tpm.ek", "certificate of the endorsement key"},
    {"tpm.hcl", "Azure's HCL report"},
    {"tpm.pcrs", "PCR values"},
    {"tpm.public", "TPM public area"},
    {"tpm.quote", "TPM quote"},
    {"tpm.signature", "TPM signature"},
    {"tpm.snp", "TPM and SNP report"},
};

/* Bytes of id that prefix takes: 0, or all, or up to a dot. */
static size_t covers(const char *prefix, const char *id)
{
    const size_t len = strlen(prefix);
    return strncmp(id, prefix, len) == 0 && (id[len] == '\0' || id[len] == '.') ? len : 0;
}

/* -1: none. */
static int find(const char *id)
{
    int best = -1;
    size_t best_len = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const size_t len = covers(table[i].id, id);
        if (len > best_len) {
            best = (int)i;
            best_len = len;
        }
    }
    return best;
}

const char *atls_remedy_subject(const char *id)
{
    int i = find(id);
    if (i < 0 || table[i].subject == NULL) {
        return NULL;
    }
    const char *dot = strrchr(id, '.');
    return table[i].subject == LAST_WORD && dot != NULL ? dot + 1 : table[i].subject;
}

void atls_remedy_name(const char *id, char out[ATLS_REMEDY_NAME_LEN])
{
    const char *thing = NULL;
    size_t used = 0;
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        const size_t len = covers(things[i].id, id);
        if (len > used) {
            used = len;
            thing = things[i].thing;
        }
    }
    if (thing == NULL) {
        (void)snprintf(out, ATLS_REMEDY_NAME_LEN, "%s", id);
        return;
    }
    const char *rest = id[used] == '.' ? id + used + 1 : "";
    int n = snprintf(out, ATLS_REMEDY_NAME_LEN, "%s%s%s", thing, rest[0] != '\0' ? ", " : "", rest);
    for (int i = (int)strlen(thing); i < n && i < ATLS_REMEDY_NAME_LEN - 1; i++) {
        out[i] = out[i] == '_' || out[i] == '.' ? ' ' : out[i];
    }
}

const char *atls_remedy(const char *id)
{
    int i = find(id);
    return i >= 0 ? table[i].remedy : "See docs/checks.md for what this check means.";
}
