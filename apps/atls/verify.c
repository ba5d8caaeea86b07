/* verify.c: `atls verify`: judges evidence. The exit status is the verdict's code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atls/atls.h>

#include "command.h"
#include "evidence_file.h"
#include "flags.h"
#include "input.h"
#include "say.h"
#include "verifier_setup.h"
#include "wanted.h"

enum { EXPLAIN = 0x100, JSON, BINDING };

static const flag own_flags[] = {
    {EXPLAIN, "explain", NULL, "print every check, not only those that failed"},
    {BINDING, "binding", "NAMES",
     "dialects that a certificate's evidence may be of, separated by commas (ra-tls)"},
    {JSON, "json", NULL, "one JSON object on standard output, nothing else there"},
    {0, NULL, NULL, NULL},
};

static const flags verify_flags = {
    "atls verify [options] FILE|-",
    "Judges evidence: is it genuine, of a platform in good order, and what the policy accepts? The\n"
    "exit status says so: 0 accepted, 3 collateral missing or out of its time, 4 invalid, 5 refused by\n"
    "policy, 6 not what was wanted in its report data.",
    {wanted_flags, own_flags, verifier_flags, collateral_fetch_flags},
};

typedef struct request {
    const char *file;
    wanted wanted;
    const char *bindings; /* NULL: the usual */
    bool explain;
    bool json;
    verifier_setup setup;
} request;

/* FLAGS_END when the option was good. */
static int take(request *r, int id, char *arg)
{
    int taken = wanted_take(&r->wanted, id, arg);
    if (taken != 0) {
        return taken;
    }
    switch (id) {
    case EXPLAIN:
        r->explain = true;
        return FLAGS_END;
    case BINDING:
        r->bindings = arg;
        return FLAGS_END;
    case JSON:
        r->json = true;
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
    atls_verdict *verdict = atls_verdict_refusal(err, r->wanted.at_s);
    if (verdict == NULL) {
        return say_refusal(ATLS_E_SYSTEM, "system.memory", "out of memory");
    }
    int status = show(verdict, r);
    atls_verdict_free(verdict);
    return status;
}

static atls_verdict *judge(const verifier_kit *kit, const evidence_file *file, const request *r,
                           atls_err *err)
{
    return file->is_certificate
               ? atls_verifier_check_certificate(kit->verifier, input_buf(&file->in), r->bindings,
                                                 &r->wanted.expected, r->wanted.at_s, err)
               : atls_verifier_check(kit->verifier, evidence_file_get0(file), &r->wanted.expected,
                                     r->wanted.at_s, err);
}

/* Once more when collateral was missing, and could be had. */
static atls_verdict *judge_complete(const verifier_kit *kit, const evidence_file *file,
                                    const request *r, atls_err *err)
{
    atls_verdict *verdict = judge(kit, file, r, err);
    if (verdict != NULL && atls_verdict_code(verdict) == ATLS_E_COLLATERAL &&
        !file->is_certificate && !r->wanted.is_past &&
        verifier_kit_complete(kit, evidence_file_get0(file), r->wanted.at_s)) {
        atls_verdict_free(verdict);
        verdict = judge(kit, file, r, err);
    }
    return verdict;
}

int command_verify(int argc, char **argv)
{
    request r = {.wanted = wanted_default()};
    int parsed = parse(argc, argv, &r);
    if (parsed != FLAGS_END) {
        return parsed == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    }

    atls_err err = {0};
    verifier_kit kit = {0};
    evidence_file file = {0};
    int status = 0;
    r.setup.evidence = r.file;
    r.setup.offline = r.wanted.is_offline;
    if (verifier_setup_make(&r.setup, !r.wanted.is_past, r.wanted.at_s, &kit, &err) != ATLS_OK ||
        evidence_file_read_any(r.file, r.wanted.format, &file, &err) != ATLS_OK) {
        status = show_failure(&err, &r);
        goto out;
    }
    atls_verdict *verdict = judge_complete(&kit, &file, &r, &err);
    if (verdict == NULL) {
        status = say_err(&err, NULL);
        goto out;
    }
    status = show(verdict, &r);
    atls_verdict_free(verdict);
out:
    evidence_file_clear(&file);
    verifier_kit_clear(&kit);
    return status;
}
