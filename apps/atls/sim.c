/* sim.c: `atls sim`: a simulated platform for tests and development. Nothing trusts it unless told to. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <atls/atls.h>

#include "command.h"
#include "flags.h"
#include "input.h"
#include "output.h"
#include "say.h"
#include "sim_dir.h"
#include "sim_up.h"

enum { AT = 0x100, FAMILY, RENEW, NUMBER, CHANGE, PKI, TYPE, REPORT_DATA, OUT };

static const flag pki_own_flags[] = {
    {AT, "at", "RFC3339", "a platform whose dates are around this time (now)"},
    {FAMILY, "family", "NAME[,NAME...]",
     "beside Intel's: snp, tpm, azure, nitro, cca, jwt, or all (none: snp alone takes seconds)"},
    {RENEW, "renew", "FROM", "no new platform, but that of FROM with collateral signed anew"},
    {NUMBER, "number", "N",
     "with --renew: its tcbEvaluationDataNumber (17); CRLs have the next CRLNumber"},
    {CHANGE, "change", "recovery", "with --renew: what was UpToDate is no longer"},
    {0, NULL, NULL, NULL},
};
/* of the quote's options only the fault means something for a PKI; the others are refused */
static const flags pki_flags = {
    "atls sim pki [options] DIR",
    "Makes simulated platforms: root.pem for --insecure-sim-root, collateral-tdx.json and\n"
    "collateral-sgx.json for --collateral, endorsement-FAMILY for --endorsement, and state.json and\n"
    "state-FAMILY.json with the private keys (mode 0600). DIR itself will do as --collateral DIR, too: a\n"
    "store leaves the state out.",
    {pki_own_flags, sim_quote_flags},
};

typedef struct pki_request {
    const char *from; /* NULL: a new platform */
    uint64_t number;
    const char *change;
    int64_t at_s;
    const char *families;
} pki_request;

/* A new platform, or that of a directory with new collateral. */
static atls_code make_platform(const pki_request *r, const char *fault, atls_sim **out,
                               atls_err *err)
{
    atls_sim *sim = NULL;
    if (r->from == NULL) {
        return atls_sim_new(r->at_s, fault, out, err);
    }
    atls_code rc = sim_dir_load(r->from, &sim, err);
    rc = rc == ATLS_OK ? atls_sim_reissue(sim, r->at_s, (uint32_t)r->number, r->change, err) : rc;
    if (rc != ATLS_OK) {
        atls_sim_free(sim);
        return rc;
    }
    *out = sim;
    return ATLS_OK;
}

static int run_pki(int argc, char **argv)
{
    pki_request r = {.number = 17, .at_s = (int64_t)time(NULL)};
    atls_sim_quote quote = {0};
    flags_begin();
    int id;
    while ((id = flags_next(&pki_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP) {
            return ATLS_OK;
        }
        if (id == FLAGS_WRONG) {
            return ATLS_E_USAGE;
        }
        if (id == AT && !input_time(optarg, &r.at_s)) {
            return say_refusal(ATLS_E_USAGE, "usage.argument",
                               "--at wants a time like 2025-07-04T10:00:00Z");
        }
        if (id == NUMBER && !input_number(optarg, 1, INT32_MAX, &r.number)) {
            return say_refusal(ATLS_E_USAGE, "usage.argument", "--number wants a number from 1");
        }
        r.families = id == FAMILY ? optarg : r.families;
        r.from = id == RENEW ? optarg : r.from;
        r.change = id == CHANGE ? optarg : r.change;
        (void)sim_quote_take(&quote, id, optarg);
    }
    const char *dir = NULL;
    if (quote.type != NULL || quote.workload != NULL || quote.tcb != NULL || quote.debug) {
        return say_refusal(ATLS_E_USAGE, "usage.option",
                           "--tee, --workload, --tcb and --debug are for `atls sim evidence`");
    }
    if (r.from == NULL && r.change != NULL) {
        return say_refusal(ATLS_E_USAGE, "usage.option", "--change is for --renew");
    }
    if (!flags_one_operand(&pki_flags, argc, argv, &dir)) {
        return ATLS_E_USAGE;
    }
    atls_err err = {0};
    atls_sim *sim = NULL;
    atls_code rc = make_platform(&r, quote.fault, &sim, &err);
    if (rc == ATLS_OK) {
        rc = sim_dir_write(sim, r.families, r.at_s, dir, &err);
    }
    atls_sim_free(sim);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}

static const flag evidence_own_flags[] = {
    {PKI, "pki", "DIR", "the platform, made by `atls sim pki`"},
    {TYPE, "type", "NAME[:VARIANT]", "the same as --tee"},
    {REPORT_DATA, "report-data", "HEX",
     "up to 64 bytes for the signed field (zeros follow; a TPM: the first 32)"},
    {OUT, "output", "FILE", "where it goes, also -o (standard output)"},
    {'o', "o", "FILE", "the same"},
    {0, NULL, NULL, NULL},
};
static const flags evidence_flags = {
    "atls sim evidence --pki DIR [options] [-o FILE]",
    "Makes evidence in the exact shape of the real thing, signed by the simulated platform: bare, or a\n"
    "bundle (JSON) where there are several parts.",
    {evidence_own_flags, sim_quote_flags},
};

typedef struct evidence_request {
    const char *pki;
    const char *out;
    atls_sim_quote quote;
} evidence_request;

static int parse_evidence(int argc, char **argv, evidence_request *r)
{
    flags_begin();
    int id;
    size_t len = 0;
    while ((id = flags_next(&evidence_flags, argc, argv)) != FLAGS_END) {
        switch (id) {
        case FLAGS_HELP:
        case FLAGS_WRONG:
            return id;
        case PKI:
            r->pki = optarg;
            break;
        case TYPE:
            r->quote.type = optarg;
            break;
        case REPORT_DATA:
            if (!input_hex(optarg, r->quote.report_data, sizeof r->quote.report_data, &len)) {
                (void)say_refusal(ATLS_E_USAGE, "usage.argument",
                                  "--report-data wants 1 to 64 bytes in hex");
                return FLAGS_WRONG;
            }
            break;
        case OUT:
        case 'o':
            r->out = optarg;
            break;
        default:
            (void)sim_quote_take(&r->quote, id, optarg);
        }
    }
    if (r->pki == NULL || optind != argc) {
        (void)say_refusal(ATLS_E_USAGE, "usage.option", "wanted is: %s", evidence_flags.usage);
        return FLAGS_WRONG;
    }
    return FLAGS_END;
}

static int run_evidence(int argc, char **argv)
{
    evidence_request r = {0};
    int parsed = parse_evidence(argc, argv, &r);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }
    atls_err err = {0};
    sim_source source = {0};
    atls_evidence_blob blob = {0};
    atls_report_data data = {0};
    memcpy(data.wide, r.quote.report_data, sizeof data.wide);
    memcpy(data.narrow, r.quote.report_data, sizeof data.narrow);
    atls_code rc = sim_source_open(r.pki, &r.quote, &source, &err);
    if (rc == ATLS_OK) {
        rc = source.attester->attest(source.attester->self, &data, &blob, &err);
    }
    if (rc == ATLS_OK) {
        rc = output_evidence(r.out, &blob, false, &err);
    }
    atls_evidence_blob_clear(&blob);
    sim_source_close(&source);
    return rc == ATLS_OK ? 0 : say_err(&err, NULL);
}

int command_sim(int argc, char **argv)
{
    static const command table[] = {
        {"pki", "makes a platform: root, collateral, keys", run_pki},
        {"evidence", "makes evidence of a platform", run_evidence},
        {"up", "serves a platform's collateral as its vendor would", sim_up},
        {NULL, NULL, NULL},
    };
    return command_dispatch(
        "atls sim",
        "A simulated TEE platform for tests and development. Its certificates say so, "
        "and nothing trusts them\nunless told to by --insecure-sim-root.",
        table, argc, argv);
}
