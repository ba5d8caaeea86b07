#include "evidence_source.h"

#include <string.h>

#include "say.h"
#include "sim_dir.h"

static bool is_known(const char *type)
{
    static const char *const names[] = {"auto", "tdx", "snp", "sgx", "tpm", "nitro"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(type, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

atls_code evidence_source_open(evidence_source *s, atls_err *err)
{
    if (strcmp(s->type, "sim") != 0) {
        return fill_err(err, ATLS_E_USAGE, "attest.type",
                        is_known(s->type)
                            ? "evidence of type %s cannot be made by this build; it has sim"
                            : "there is no evidence of type %s; this build has sim",
                        s->type);
    }
    if (s->sim_dir == NULL) {
        return fill_err(err, ATLS_E_USAGE, "attest.sim",
                        "type sim needs --sim DIR, made by `atls sim pki DIR`");
    }
    atls_code rc = sim_source_open(s->sim_dir, &s->quote, &s->sim, err);
    if (rc == ATLS_OK) {
        s->attester = s->sim.attester;
    }
    return rc;
}

void evidence_source_close(evidence_source *s)
{
    sim_source_close(&s->sim);
    s->attester = NULL;
}
