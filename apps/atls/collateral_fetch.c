/* collateral_fetch.c: `atls collateral fetch`: gets what evidence needs, what is named, or renews all that the store has. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collateral_commands.h"
#include "evidence_file.h"
#include "input.h"
#include "output.h"
#include "say.h"

#define KEYS_MAX 65536

enum { FMSPC = 0x100, TEE, EARLY, VERBOSE, JSON };

static const flag own_flags[] = {
    {FMSPC, "fmspc", "HEX", "Intel's collateral for this kind of platform (12 digits); repeatable"},
    {TEE, "tee", "tdx|sgx", "for the --fmspc behind it; without it both"},
    {EARLY, "early", NULL, "Intel's early TCB info too, for `atls collateral early`"},
    {VERBOSE, "verbose", NULL, "each request, on standard error"},
    {JSON, "json", NULL, "one JSON object on standard output"},
    {0, NULL, NULL, NULL},
};
static const flags fetch_flags = {
    "atls collateral fetch [options] [EVIDENCE|KEY]...",
    "Gets what the verification of evidence (files) needs, or items by their keys (intel/rootcrl,\n"
    "amd/crl/vcek/Milan; docs/collateral.md), into the store. Without any: renews everything that the store has.",
    {own_flags, collateral_room_flags, collateral_fetch_flags},
};

typedef struct job {
    collateral_room room;
    collateral_setup source;
    atls_fetcher *fetcher;
    char (*keys)[ATLS_ITEM_KEY_LEN];
    size_t keys_n, keys_cap;
    const char *tee;
    bool early, verbose, json;
} job;

static atls_code add_key(job *j, const char *key, atls_err *err)
{
    for (size_t i = 0; i < j->keys_n; i++) {
        if (strcmp(j->keys[i], key) == 0) {
            return ATLS_OK;
        }
    }
    if (j->keys_n == KEYS_MAX || strlen(key) >= ATLS_ITEM_KEY_LEN) {
        return fill_err(err, ATLS_E_USAGE, "usage.operand",
                        "%.64s: not a key, or more than %d of them", key, KEYS_MAX);
    }
    if (j->keys_n == j->keys_cap) {
        const size_t cap = j->keys_cap > 0 ? 2 * j->keys_cap : 64;
        void *more = realloc(j->keys, cap * sizeof j->keys[0]);
        if (more == NULL) {
            return fill_err(err, ATLS_E_SYSTEM, "system.memory", "out of memory");
        }
        j->keys = more;
        j->keys_cap = cap;
    }
    (void)snprintf(j->keys[j->keys_n++], ATLS_ITEM_KEY_LEN, "%s", key);
    return ATLS_OK;
}

/* Intel's early set beside the present one. */
static atls_code add_early(job *j, const char *key, atls_err *err)
{
    char early[ATLS_ITEM_KEY_LEN + 8];
    if (!j->early || (strncmp(key, "intel/tcb/", 10) != 0 && strncmp(key, "intel/qe/", 9) != 0)) {
        return ATLS_OK;
    }
    (void)snprintf(early, sizeof early, "%s/early", key);
    return add_key(j, early, err);
}

static atls_code add_platform(job *j, const char *tee, const char *fmspc, atls_err *err)
{
    static const char *const others[] = {"intel/pckcrl/platform", "intel/pckcrl/processor",
                                         "intel/rootcrl"};
    char key[64];
    (void)snprintf(key, sizeof key, "intel/tcb/%s/%s", tee, fmspc);
    atls_code rc = add_key(j, key, err);
    rc = rc == ATLS_OK ? add_early(j, key, err) : rc;
    (void)snprintf(key, sizeof key, "intel/qe/%s", tee);
    rc = rc == ATLS_OK ? add_key(j, key, err) : rc;
    rc = rc == ATLS_OK ? add_early(j, key, err) : rc;
    for (size_t i = 0; rc == ATLS_OK && i < sizeof others / sizeof others[0]; i++) {
        rc = add_key(j, others[i], err);
    }
    return rc;
}

static atls_code add_fmspc(job *j, const char *fmspc, atls_err *err)
{
    uint8_t bytes[6];
    size_t len = 0;
    char lower[13];
    if (!input_hex(fmspc, bytes, sizeof bytes, &len) || len != sizeof bytes) {
        return fill_err(err, ATLS_E_USAGE, "usage.argument", "--fmspc wants 12 hex digits");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(lower + 2 * i, 3, "%02x", bytes[i]);
    }
    atls_code rc = ATLS_OK;
    if (j->tee == NULL || strcmp(j->tee, "tdx") == 0) {
        rc = add_platform(j, "tdx", lower, err);
    }
    if (rc == ATLS_OK && (j->tee == NULL || strcmp(j->tee, "sgx") == 0)) {
        rc = add_platform(j, "sgx", lower, err);
    }
    return rc;
}

static bool looks_like_key(const char *operand)
{
    return strncmp(operand, "intel/", 6) == 0 || strncmp(operand, "amd/", 4) == 0 ||
           strncmp(operand, "jwks/", 5) == 0;
}

static atls_code add_operand(job *j, const char *operand, atls_err *err)
{
    evidence_file file = {0};
    atls_needs needs;
    if (looks_like_key(operand)) {
        return add_key(j, operand, err);
    }
    atls_code rc = evidence_file_read(operand, "auto", &file, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    atls_evidence_needs(evidence_file_get0(&file), &needs);
    if (needs.n == 1 && strncmp(needs.keys[0], "intel/pck/", 10) == 0) { /* it tells the rest */
        (void)!atls_fetcher_get(j->fetcher, &needs, 0, NULL); /* what fails here fails below */
        atls_store_needs(j->room.store, evidence_file_get0(&file), &needs);
    }
    for (size_t i = 0; rc == ATLS_OK && i < needs.n; i++) {
        rc = add_key(j, needs.keys[i], err);
        rc = rc == ATLS_OK ? add_early(j, needs.keys[i], err) : rc;
    }
    evidence_file_clear(&file);
    return rc;
}

static atls_code add_all(job *j, atls_err *err)
{
    atls_item_status s;
    atls_code rc = ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && atls_store_at(j->room.store, i, &s); i++) {
        if (strncmp(s.key, "amd/vcek/", 9) != 0) { /* made once, never renewed */
            rc = add_key(j, s.key, err);
            rc = rc == ATLS_OK ? add_early(j, s.key, err) : rc;
        }
    }
    return rc;
}

static void tell(const job *j, size_t i, const atls_err *err)
{
    atls_held *held = NULL;
    atls_item_status s;
    char end[COLLATERAL_TIME_LEN];
    if (j->json) {
        printf("%s{\"key\":", i > 0 ? "," : "");
        output_json_string(stdout, j->keys[i]);
        printf(",\"code\":%d,\"check\":", (int)err->code);
        output_json_string(stdout, err->check != NULL ? err->check : "");
        printf(",\"message\":");
        output_json_string(stdout, err->code == ATLS_OK ? "" : err->msg);
        printf("}");
    } else if (err->code != ATLS_OK) {
        printf("failed   %s\n         %s [%s]\n", j->keys[i], err->msg, err->check);
    } else if (atls_store_get(j->room.store, j->keys[i], &held)) {
        atls_held_status(held, &s);
        collateral_time_text(s.next_update_s < s.expires_s ? s.next_update_s : s.expires_s, end);
        printf("fetched  %s\n         until %s, from %s\n", s.key, end, s.from);
    }
    atls_held_free(held);
}

static int fetch(job *j)
{
    atls_code first = ATLS_OK;
    if (j->json) {
        printf("{\"items\":[");
    }
    for (size_t i = 0; i < j->keys_n; i++) {
        atls_needs needs = {.n = 1};
        atls_err err = {0};
        memcpy(needs.keys[0], j->keys[i], sizeof needs.keys[0]);
        err.code = atls_fetcher_renew(j->fetcher, &needs, 0, &err);
        first = first == ATLS_OK ? err.code : first;
        tell(j, i, &err);
    }
    if (j->json) {
        printf("],\"requests\":%llu}\n", (unsigned long long)atls_fetcher_requests(j->fetcher));
    }
    return fflush(stdout) == 0
               ? (int)first
               : say_refusal(ATLS_E_SYSTEM, "output.write", "the result could not be written");
}

/* FLAGS_END when all was good; what was wrong has been said. */
static int take(job *j, int argc, char **argv)
{
    atls_err err = {0};
    int id;
    flags_begin();
    while ((id = flags_next(&fetch_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id;
        }
        j->early = j->early || id == EARLY;
        j->verbose = j->verbose || id == VERBOSE;
        j->json = j->json || id == JSON;
        if (id == TEE) {
            j->tee = optarg;
        }
        if (id == TEE && strcmp(optarg, "tdx") != 0 && strcmp(optarg, "sgx") != 0) {
            (void)say_refusal(ATLS_E_USAGE, "usage.argument", "--tee wants tdx or sgx");
            return FLAGS_WRONG;
        }
        if (id == FMSPC && add_fmspc(j, optarg, &err) != ATLS_OK) {
            (void)say_err(&err, NULL);
            return FLAGS_WRONG;
        }
        (void)(collateral_room_take(&j->room, id, optarg) ||
               collateral_setup_take(&j->source, id, optarg));
    }
    return FLAGS_END;
}

int collateral_fetch(int argc, char **argv)
{
    job j = {0};
    atls_err err = {0};
    int taken = take(&j, argc, argv);
    int status = taken == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
    if (taken == FLAGS_END) {
        const bool renew_all = optind == argc && j.keys_n == 0;
        atls_code rc = collateral_room_open(&j.room, renew_all, (int64_t)time(NULL), &err);
        rc = rc == ATLS_OK
                 ? collateral_fetcher_open(&j.source, j.room.store,
                                           j.verbose ? collateral_log : NULL, &j.fetcher, &err)
                 : rc;
        for (int i = optind; rc == ATLS_OK && i < argc; i++) {
            rc = add_operand(&j, argv[i], &err);
        }
        rc = rc == ATLS_OK && renew_all ? add_all(&j, &err) : rc;
        status = rc == ATLS_OK ? fetch(&j) : say_err(&err, NULL);
    }
    atls_fetcher_free(j.fetcher);
    collateral_room_close(&j.room);
    free(j.keys);
    return status;
}
