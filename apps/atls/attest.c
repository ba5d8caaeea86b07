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

enum { TYPE = 0x100, REPORT_DATA, NONCE, SIM, OUT, BUNDLE, JSON, PROBE };

static const flag own_flags[] = {
    {TYPE, "type", "NAME", "auto, tdx, snp, sgx, cca, nitro, tpm, azure or sim (auto)"},
    {REPORT_DATA, "report-data", "HEX", "up to 64 bytes for the signed field (zeros follow)"},
    {NONCE, "nonce", "HEX", "the same; a TPM signs its first 32 bytes"},
    {SIM, "sim", "DIR", "the simulated platform for --type sim, made by `atls sim pki`"},
    {BUNDLE, "bundle", NULL, "write a bundle (JSON) rather than the bare quote"},
    {JSON, "json", NULL, "the same: a bundle is one JSON object"},
    {PROBE, "probe", NULL, "make nothing: tell of each source whether it works here, and why not"},
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
    bool bundle, probe;
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
    case PROBE:
        r->probe = true;
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

/* --- --probe --- */

static void print_probe(FILE *to, const atls_attest_probe *p)
{
    if (p->type != NULL) {
        (void)fprintf(to, "%-10s makes %s\n", p->source, p->type);
    } else {
        (void)fprintf(to, "%-10s %s: %s [%s]\n", p->source, p->absent ? "absent" : "does not work",
                      p->why, p->check);
    }
}

static void print_probe_json(FILE *to, const atls_attest_probe *p, bool first)
{
    (void)fprintf(to, "%s{\"source\":\"%s\",\"type\":", first ? "" : ",", p->source);
    if (p->type != NULL) {
        (void)fprintf(to, "\"%s\"}", p->type);
        return;
    }
    (void)fprintf(to,
                  "null,\"absent\":%s,\"check\":\"%s\",\"message\":", p->absent ? "true" : "false",
                  p->check);
    output_json_string(to, p->why);
    (void)fputc('}', to);
}

/* All of them, in the order in which `auto` takes the first that works. */
static void probe(FILE *to, const evidence_source *s, bool json)
{
    atls_attest_probe p;
    atls_attest_options o = s->machine;
    o.type = s->type;
    o.tpm = &s->tpm;
    if (json) {
        (void)fprintf(to, "{\"sources\":[");
    }
    for (size_t i = 0; atls_attest_probe_at(&o, i, &p); i++) {
        if (json) {
            print_probe_json(to, &p, i == 0);
        } else {
            print_probe(to, &p);
        }
    }
    if (json) {
        (void)fprintf(to, "]}\n");
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
    if (r.probe) {
        probe(stdout, &r.source, r.bundle);
        return ATLS_OK;
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
    if (rc == ATLS_OK) {
        return 0;
    }
    int code = say_err(&err, NULL);
    if (strcmp(err.check, "attest.none") == 0) {
        probe(stderr, &r.source, false);
    }
    return code;
}
