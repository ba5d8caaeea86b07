/* attest.c: `atls attest`: makes evidence here. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <atls/atls.h>

#include "command.h"
#include "evidence_source.h"
#include "flags.h"
#include "input.h"
#include "output.h"
#include "say.h"
#include "sim_dir.h"

enum { TYPE = 0x100, REPORT_DATA, NONCE, SIM, OUT, BUNDLE, JSON };

static const flag own_flags[] = {
    {TYPE, "type", "NAME", "auto, tdx, snp, sgx, cca, nitro, tpm, azure or sim (auto)"},
    {REPORT_DATA, "report-data", "HEX", "up to 64 bytes for the signed field (zeros follow)"},
    {NONCE, "nonce", "HEX", "the same; a TPM signs its first 32 bytes"},
    {SIM, "sim", "DIR", "the simulated platform for --type sim, made by `atls sim pki`"},
    {BUNDLE, "bundle", NULL, "write a bundle (JSON) rather than the bare quote"},
    {JSON, "json", NULL, "the same: a bundle is one JSON object"},
    {OUT, "output", "FILE", "where it goes, also -o (standard output)"},
    {'o', "o", "FILE", "the same"},
    {0, NULL, NULL, NULL},
};
static const flags attest_flags = {
    "atls attest [options]",
    "Makes evidence of the machine it runs on, over the report data given.",
    {own_flags, evidence_source_flags, sim_quote_flags},
};

typedef struct request {
    evidence_source source;
    atls_report_data data;
    bool bundle;
    const char *out;
} request;

static int take(request *r, int id)
{
    size_t len = 0;
    switch (id) {
    case TYPE:
        r->source.type = optarg;
        return FLAGS_END;
    case REPORT_DATA:
    case NONCE:
        memset(&r->data, 0, sizeof r->data);
        if (!input_hex(optarg, r->data.wide, sizeof r->data.wide, &len)) {
            (void)say_refusal(ATLS_E_USAGE, "usage.argument",
                              "--report-data and --nonce want 1 to 64 bytes in hex");
            return FLAGS_WRONG;
        }
        memcpy(r->data.narrow, r->data.wide, sizeof r->data.narrow);
        return FLAGS_END;
    case SIM:
        r->source.sim_dir = optarg;
        return FLAGS_END;
    case BUNDLE:
    case JSON:
        r->bundle = true;
        return FLAGS_END;
    case OUT:
    case 'o':
        r->out = optarg;
        return FLAGS_END;
    default:
        return evidence_source_take(&r->source, id, optarg) ||
                       sim_quote_take(&r->source.quote, id, optarg)
                   ? FLAGS_END
                   : FLAGS_WRONG;
    }
}

int command_attest(int argc, char **argv)
{
    request r = {.source = {.type = "auto"}};
    flags_begin();
    int id;
    while ((id = flags_next(&attest_flags, argc, argv)) != FLAGS_END) {
        int taken = id == FLAGS_HELP || id == FLAGS_WRONG ? id : take(&r, id);
        if (taken != FLAGS_END) {
            return taken == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
    }
    if (optind != argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", attest_flags.usage);
    }
    atls_err err = {0};
    atls_evidence_blob blob = {0};
    atls_code rc = evidence_source_open(&r.source, &err);
    if (rc == ATLS_OK) {
        const atls_attester *a = r.source.attester;
        rc = a->attest(a->self, &r.data, &blob, &err);
    }
    if (rc == ATLS_OK) {
        rc = output_evidence(r.out, &blob, r.bundle, &err);
    }
    atls_evidence_blob_clear(&blob);
    evidence_source_close(&r.source);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}
