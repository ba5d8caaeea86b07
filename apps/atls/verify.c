/* verify.c: `atls verify`: judges evidence. The exit status is the verdict's code. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atls/atls.h>

#include "command.h"
#include "evidence_file.h"
#include "flags.h"
#include "input.h"
#include "say.h"
#include "verifier_setup.h"

enum {
    FORMAT = 0x100,
    REPORT_DATA,
    NONCE,
    ISSUER,
    AUDIENCE,
    NONCE_TEXT,
    LEEWAY,
    AT,
    OFFLINE,
    EXPLAIN,
    JSON
};

static const flag own_flags[] = {
    {FORMAT, "format", "NAME", "auto, sgx, tdx, snp, tpm, nitro, cca, jwt, cert or bundle"},
    {REPORT_DATA, "report-data", "HEX", "wanted in the signed 64-byte field (zeros follow)"},
    {NONCE, "nonce", "HEX",
     "wanted in the field made for it (SGX, TDX, SNP: the same as --report-data)"},
    {ISSUER, "issuer", "TEXT", "wanted as the issuer of a token"},
    {AUDIENCE, "audience", "TEXT", "wanted among the audiences of a token"},
    {NONCE_TEXT, "nonce-text", "TEXT", "wanted as the nonce claim of a token"},
    {LEEWAY, "leeway", "SECONDS", "tolerance for a token's times (60)"},
    {AT, "at", "RFC3339", "judge as of this time (now)"},
    {OFFLINE, "offline", NULL, "fetch nothing; this release never does"},
    {EXPLAIN, "explain", NULL, "print every check, not only those that failed"},
    {JSON, "json", NULL, "one JSON object on standard output, nothing else there"},
    {0, NULL, NULL, NULL},
};

static const flags verify_flags = {
    "atls verify [options] FILE|-",
    "Judges evidence: is it genuine, of a platform in good order, and what the policy accepts? The\n"
    "exit status says so: 0 accepted, 3 collateral missing or out of its time, 4 invalid, 5 refused by\n"
    "policy, 6 not what was wanted in its report data.",
    {own_flags, verifier_flags},
};

typedef struct request {
    const char *file;
    const char *format;
    atls_expected expected;
    int64_t at_s;
    bool explain;
    bool json;
    verifier_setup setup;
} request;

static int wrong_argument(const char *option, const char *wanted)
{
    (void)say_refusal(ATLS_E_USAGE, "usage.argument", "--%s wants %s", option, wanted);
    return FLAGS_WRONG;
}

/* FLAGS_END when the option was good. */
static int take(request *r, int id, const char *arg)
{
    size_t len = 0;
    uint64_t number = 0;
    switch (id) {
    case FORMAT:
        r->format = arg;
        return evidence_format_is_known(arg)
                   ? FLAGS_END
                   : wrong_argument("format",
                                    "auto, sgx, tdx, snp, tpm, nitro, cca, jwt, cert or bundle");
    case REPORT_DATA:
        r->expected.has_report_data = input_hex(arg, r->expected.report_data, 64, &len);
        return r->expected.has_report_data ? FLAGS_END
                                           : wrong_argument("report-data", "1 to 64 bytes in hex");
    case NONCE:
        r->expected.has_nonce =
            input_hex(arg, r->expected.nonce, sizeof r->expected.nonce, &r->expected.nonce_len);
        return r->expected.has_nonce ? FLAGS_END
                                     : wrong_argument("nonce", "1 to 1024 bytes in hex");
    case LEEWAY:
        r->expected.has_leeway = input_number(arg, 0, 86400, &number);
        r->expected.leeway_s = (uint32_t)number;
        return r->expected.has_leeway ? FLAGS_END
                                      : wrong_argument("leeway", "seconds, at most 86400");
    case AT:
        return input_time(arg, &r->at_s) ? FLAGS_END
                                         : wrong_argument("at", "a time like 2025-07-04T10:00:00Z");
    case EXPLAIN:
        r->explain = true;
        return FLAGS_END;
    case JSON:
        r->json = true;
        return FLAGS_END;
    case ISSUER:
        r->expected.issuer = arg;
        return FLAGS_END;
    case AUDIENCE:
        r->expected.audience = arg;
        return FLAGS_END;
    case NONCE_TEXT:
        r->expected.nonce_text = arg;
        return FLAGS_END;
    case OFFLINE:
        return FLAGS_END;
    default:
        return verifier_setup_take(&r->setup, id, arg) ? FLAGS_END : FLAGS_WRONG;
    }
}

static int parse(int argc, char **argv, request *r)
{
    flags_begin();
    int id;
    while ((id = flags_next(&verify_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id;
        }
        int rc = take(r, id, optarg);
        if (rc != FLAGS_END) {
            return rc;
        }
    }
    return flags_one_operand(&verify_flags, argc, argv, &r->file) ? FLAGS_END : FLAGS_WRONG;
}

/* Prints the verdict; its code is the exit status, unless it cannot be printed. */
static int show(const atls_verdict *verdict, const request *r)
{
    char *json = r->json ? atls_verdict_json(verdict) : NULL;
    char *text = r->json && !r->explain ? NULL : atls_verdict_text(verdict, r->explain);
    int status = (int)atls_verdict_code(verdict);
    if (r->json && json == NULL) {
        status = say_refusal(ATLS_E_SYSTEM, "system.memory", "out of memory");
    } else if (r->json) {
        printf("%s\n", json);
    }
    if (text != NULL) {
        fputs(text, r->json ? stderr : stdout);
    }
    if (fflush(stdout) != 0) {
        status = say_refusal(ATLS_E_SYSTEM, "output.write", "the verdict could not be written");
    }
    atls_free(json);
    atls_free(text);
    return status;
}

/* A refusal from before there was a verifier to ask: usage and IO are told, all else is a verdict. */
static int show_failure(const atls_err *err, const request *r)
{
    if (err->code == ATLS_E_USAGE || err->code == ATLS_E_SYSTEM) {
        return say_err(err, NULL);
    }
    atls_verdict *verdict = atls_verdict_refusal(err, r->at_s);
    if (verdict == NULL) {
        return say_refusal(ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    int status = show(verdict, r);
    atls_verdict_free(verdict);
    return status;
}

int command_verify(int argc, char **argv)
{
    request r = {.format = "auto", .at_s = (int64_t)time(NULL)};
    int parsed = parse(argc, argv, &r);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }

    atls_err err = {0};
    atls_verifier *verifier = NULL;
    evidence_file file = {0};
    int status = 0;
    r.setup.evidence = r.file;
    if (verifier_setup_make(&r.setup, &verifier, &err) != ATLS_OK ||
        evidence_file_read(r.file, r.format, &file, &err) != ATLS_OK) {
        status = show_failure(&err, &r);
        goto out;
    }
    atls_verdict *verdict =
        atls_verifier_check(verifier, evidence_file_get0(&file), &r.expected, r.at_s, &err);
    if (verdict == NULL) {
        status = say_err(&err, NULL);
        goto out;
    }
    status = show(verdict, &r);
    atls_verdict_free(verdict);
out:
    evidence_file_clear(&file);
    atls_verifier_free(verifier);
    return status;
}
