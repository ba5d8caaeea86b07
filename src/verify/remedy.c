#include "verify/remedy.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *id; /* whole, or a prefix that ends where an id has its dot */
    const char *subject;
    const char *remedy;
} table[] = {
    {"tcb.status", "platform TCB",
     "Update BIOS and microcode (and the TDX module) of that machine, or let the policy name this "
     "status or a grace period."},
    {"tcb.grace", "grace period of the platform TCB",
     "Update the machine before the grace period ends."},
    {"tcb.advisories", "open advisory of the platform TCB",
     "Update the machine, or name this advisory in advisories_allowed of the policy."},
    {"tcb.evaluation_number", "TCB evaluation number of the collateral",
     "Fetch newer collateral: atls collateral fetch."},
    {"tcb", NULL, "Fetch current collateral; if it stays, update the machine's firmware."},
    {"policy.tee", "kind of TEE",
     "Let the workload's tees name it, or run the workload elsewhere."},
    {"policy.tdx", "measured register",
     "Compare the build that runs there with the one the policy was made for; add a set to the "
     "policy if the new one is meant."},
    {"policy.sgx", "measured field",
     "Compare the enclave that runs there with the one the policy was made for; add a set to the "
     "policy if the new one is meant."},
    {"policy.owner", "owner claim",
     "The same code under another owner's configuration: make sure that you speak to your own "
     "deployment."},
    {"policy.platform", "platform id",
     "Add the machine to platforms in the policy if you know it to be yours."},
    {"policy.fmspc", "platform model (FMSPC)",
     "Add the model to fmspc in the policy if it is meant."},
    {"policy.debug", "debug mode",
     "Start the workload without debug: its memory can be read by the host."},
    {"policy.init", "SGX attribute INIT", "The enclave was never initialised; do not trust it."},
    {"policy.reserved", "reserved attribute bits",
     "The TD has attributes that are not known to be safe; update atls or the host."},
    {"policy.sept", "attribute SEPT_VE_DISABLE",
     "Start the TD with SEPT_VE_DISABLE, or allow sept_ve_disable_clear if its guest is known to be "
     "safe without."},
    {"policy.migratable", "attribute MIGRATABLE",
     "Start the TD as not migratable, or allow migratable and pin the migration TD in service_td."},
    {"policy.service_td", "service TD (MRSERVICETD)",
     "Pin the service TD in allow.service_td of the policy if you trust it with this TD's secrets."},
    {"policy.pki", "peer's name by PKI",
     "Connect to one of the names in pki, with a certificate of your CA; a file of evidence alone "
     "has no name."},
    {"policy.binding", "binding",
     "Use one of the bindings that the policy accepts; \"evidence-alone\" among them lets a file be "
     "judged."},
    {"policy.collateral_age", "issue date of the oldest collateral",
     "Fetch newer collateral: atls collateral fetch."},
    {"policy.workload", "matching workload",
     "The checks above belong to the workload that is nearest; see what differs there."},
    {"policy", NULL, "See docs/policy.md."},
    {"report_data", "report data",
     "The evidence was made for another connection, key or nonce: ask the peer for evidence of this "
     "one."},
    {"binding", NULL, "The evidence was made for another connection: connect again."},
    {"collateral", NULL, "Fetch current collateral: atls collateral fetch."},
    {"pck", NULL,
     "The certificate of the platform does not hold; fetch it anew, or take the machine out of use "
     "if it is revoked."},
    {"tcb_info", NULL, "Fetch current collateral: atls collateral fetch."},
    {"qe_identity", NULL, "Fetch current collateral: atls collateral fetch."},
    {"root_crl", NULL, "Fetch current collateral: atls collateral fetch."},
    {"pck_crl", NULL, "Fetch current collateral: atls collateral fetch."},
    {"tdx_module", NULL, "Update the TDX module of that machine, and fetch current collateral."},
    {"qe_report", NULL, "The evidence is damaged or forged: get it anew from the machine."},
    {"qe", NULL, "Update the platform software (quoting enclave) of that machine."},
    {"quote", NULL, "The evidence is damaged or forged: get it anew from the machine."},
    {"verdict", NULL, "Report this as a defect of atls, with the evidence."},
};

/* -1: none. */
static int find(const char *id)
{
    int best = -1;
    size_t best_len = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = strlen(table[i].id);
        if (strncmp(id, table[i].id, len) == 0 && (id[len] == '\0' || id[len] == '.') &&
            len > best_len) {
            best = (int)i;
            best_len = len;
        }
    }
    return best;
}

const char *atls_remedy_subject(const char *id)
{
    int i = find(id);
    return i >= 0 ? table[i].subject : NULL;
}

const char *atls_remedy(const char *id)
{
    int i = find(id);
    return i >= 0 ? table[i].remedy : "";
}
