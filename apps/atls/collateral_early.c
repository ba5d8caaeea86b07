/* collateral_early.c: `atls collateral early`: what Intel's early TCB data will make of the platforms that there are. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include <atls/outlook.h>

#include "collateral_commands.h"
#include "evidence_file.h"
#include "output.h"
#include "say.h"

#define FILES_MAX 65536
#define TOLD_LEN  32

enum { FMSPC = 0x100, TEE, JSON };

static const flag own_flags[] = {
    {FMSPC, "fmspc", "HEX",
     "this kind of platform (12 digits), as it is today when all is applied; repeatable"},
    {TEE, "tee", "tdx|sgx", "for the --fmspc behind it; without it tdx"},
    {JSON, "json", NULL, "one JSON object on standard output"},
    {0, NULL, NULL, NULL},
};
static const flags early_flags = {
    "atls collateral early [options] [QUOTE|DIR]...",
    "Compares, for each platform that made these quotes, the TCB status of today with the one that Intel's\n"
    "early data give it: which will no longer be UpToDate, and which component falls short by how much.\n"
    "Exit status 5 when some platform will fail, for CI and cron.",
    {own_flags, collateral_room_flags, collateral_fetch_flags},
};

typedef struct survey {
    collateral_room room;
    collateral_setup source;
    atls_fetcher *fetcher; /* NULL: the store has to have it all */
    const char *tee;
    bool json;
    size_t told, failing;
    size_t seen_n, seen_cap;
    uint8_t (*seen)[TOLD_LEN]; /* a platform makes many quotes */
} survey;

/* --- telling --- */

static void tell_json(const survey *s, const char *file, const atls_outlook *o)
{
    char time_text[COLLATERAL_TIME_LEN];
    printf("%s{\"file\":", s->told > 0 ? "," : "");
    output_json_string(stdout, file);
    printf(",\"tee\":\"%s\",\"fmspc\":\"%s\",\"platform\":\"%s\",\"now\":\"%s\",\"early\":\"%s\"",
           o->tee, o->fmspc, o->platform, o->now != NULL ? o->now : "",
           o->early != NULL ? o->early : "");
    printf(",\"now_number\":%u,\"early_number\":%u", (unsigned)o->now_number,
           (unsigned)o->early_number);
    collateral_time_text(o->early_issued_s, time_text);
    printf(",\"early_issued\":\"%s\"", time_text);
    collateral_time_text(o->not_before_s, time_text);
    printf(",\"today_stands_until\":\"%s\",\"will_fail\":%s,\"advisories\":", time_text,
           o->will_fail ? "true" : "false");
    output_json_string(stdout, o->advisories);
    printf(",\"shortfalls\":[");
    for (size_t i = 0; i < o->shortfalls_n; i++) {
        printf("%s{\"component\":", i > 0 ? "," : "");
        output_json_string(stdout, o->shortfalls[i].component);
        printf(",\"is\":%u,\"needs\":%u,\"remedy\":", (unsigned)o->shortfalls[i].is,
               (unsigned)o->shortfalls[i].needs);
        output_json_string(stdout, o->shortfalls[i].remedy);
        printf("}");
    }
    printf("]}");
}

static void tell_text(const char *file, const atls_outlook *o)
{
    char stands[COLLATERAL_TIME_LEN];
    collateral_time_text(o->not_before_s, stands);
    const bool fails_now = o->now == NULL || strcmp(o->now, "UpToDate") != 0;
    printf("%s  %s %s%s%s\n", !o->will_fail ? "stays    " : (fails_now ? "FAILS NOW" : "WILL FAIL"),
           o->tee, o->fmspc, o->platform[0] != '\0' ? "  platform " : "", o->platform);
    printf("           %s\n", file);
    printf("           today %s (data %u), early %s (data %u)\n",
           o->now != NULL ? o->now : "below every level", (unsigned)o->now_number,
           o->early != NULL ? o->early : "below every level", (unsigned)o->early_number);
    if (!o->will_fail) {
        return;
    }
    if (!fails_now) {
        printf("           today's data stand until %s: the early ones can be in force from then "
               "on\n",
               stands);
    }
    for (size_t i = 0; i < o->shortfalls_n; i++) {
        const atls_shortfall *f = &o->shortfalls[i];
        printf("           %s is %u, needs %u: %s\n", f->component, (unsigned)f->is,
               (unsigned)f->needs, f->remedy);
    }
    if (o->advisories[0] != '\0') {
        printf("           %s\n", o->advisories);
    }
}

static void tell(survey *s, const char *file, const atls_outlook *o)
{
    if (s->json) {
        tell_json(s, file, o);
    } else {
        tell_text(file, o);
    }
    s->told++;
    s->failing += o->will_fail ? 1 : 0;
}

/* --- what is needed --- */

/* Fetched only where it is missing or over: a cron job asks every day. */
static void fetch(const survey *s, const char *tee, const char *fmspc)
{
    static const char *const ends[] = {"", "/early"};
    atls_needs needs = {0};
    atls_err err = {0};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(needs.keys[needs.n++], ATLS_ITEM_KEY_LEN, "intel/tcb/%s/%s%s", tee, fmspc,
                       ends[i]);
        (void)snprintf(needs.keys[needs.n++], ATLS_ITEM_KEY_LEN, "intel/qe/%s%s", tee, ends[i]);
    }
    if (s->fetcher != NULL && atls_fetcher_get(s->fetcher, &needs, 0, &err) != ATLS_OK) {
        (void)say_err(&err, NULL);
    }
}

static void fetch_for_quote(const survey *s, const atls_evidence *quote)
{
    atls_needs needs;
    atls_evidence_needs(quote, &needs);
    if (s->fetcher != NULL && needs.n == 1 && strncmp(needs.keys[0], "intel/pck/", 10) == 0) {
        (void)!atls_fetcher_get(s->fetcher, &needs, 0, NULL); /* it names the rest */
        atls_store_needs(s->room.store, quote, &needs);
    }
    for (size_t i = 0; i < needs.n; i++) {
        const char *key = needs.keys[i];
        if (strncmp(key, "intel/tcb/", 10) == 0 && strlen(key) == 10 + 4 + 12) {
            char tee[4] = {key[10], key[11], key[12], '\0'};
            fetch(s, tee, key + 14);
        }
    }
}

/* --- platforms --- */

/* Of what is told of it: after an update the same platform is another case. */
static bool digest(const atls_outlook *o, uint8_t out[TOLD_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, o->tee, sizeof o->tee) == 1 &&
              EVP_DigestUpdate(ctx, o->platform, sizeof o->platform) == 1 &&
              EVP_DigestUpdate(ctx, &o->now, sizeof o->now) == 1 &&
              EVP_DigestUpdate(ctx, &o->early, sizeof o->early) == 1;
    for (size_t i = 0; ok && i < o->shortfalls_n; i++) {
        const atls_shortfall *f = &o->shortfalls[i];
        ok = EVP_DigestUpdate(ctx, f->component, strlen(f->component) + 1) == 1 &&
             EVP_DigestUpdate(ctx, &f->is, sizeof f->is) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool is_new(survey *s, const atls_outlook *o)
{
    uint8_t told[TOLD_LEN];
    if (!digest(o, told)) {
        return true; /* told twice at worst */
    }
    for (size_t i = 0; i < s->seen_n; i++) {
        if (memcmp(s->seen[i], told, sizeof told) == 0) {
            return false;
        }
    }
    if (s->seen_n == s->seen_cap) {
        const size_t cap = s->seen_cap > 0 ? 2 * s->seen_cap : 64;
        void *more = realloc(s->seen, cap * sizeof s->seen[0]);
        if (more == NULL) {
            return true;
        }
        s->seen = more;
        s->seen_cap = cap;
    }
    memcpy(s->seen[s->seen_n++], told, sizeof told);
    return true;
}

static atls_code survey_file(survey *s, const char *path, atls_err *err)
{
    evidence_file file = {0};
    atls_outlook o;
    atls_code rc = evidence_file_read(path, "auto", &file, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    fetch_for_quote(s, evidence_file_get0(&file));
    rc = atls_store_outlook(s->room.store, evidence_file_get0(&file), &o, err);
    if (rc == ATLS_OK && is_new(s, &o)) {
        tell(s, path, &o);
    }
    evidence_file_clear(&file);
    return rc;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Files of a directory that are no quotes are passed over, and said. */
static atls_code survey_dir(survey *s, const char *dir, atls_err *err)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, is_visible, alphasort);
    if (n < 0 || n > FILES_MAX) {
        return fill_err(err, ATLS_E_SYSTEM, "input.open", "%s: %s", dir,
                        n < 0 ? strerror(errno) : "too many files");
    }
    atls_code rc = ATLS_OK;
    for (int i = 0; i < n; i++) {
        char path[4096];
        atls_err mine = {0};
        int len = snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (rc == ATLS_OK && len > 0 && (size_t)len < sizeof path &&
            survey_file(s, path, &mine) != ATLS_OK) {
            if (mine.code == ATLS_E_COLLATERAL) {
                *err = mine;
                rc = mine.code;
            } else {
                fprintf(stderr, "atls: %s: passed over: %s\n", path, mine.msg);
            }
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static atls_code survey_operand(survey *s, const char *path, atls_err *err)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? survey_dir(s, path, err)
                                                       : survey_file(s, path, err);
}

static atls_code survey_fmspc(survey *s, const char *tee, const char *fmspc, atls_err *err)
{
    atls_outlook o;
    fetch(s, tee, fmspc);
    atls_code rc = atls_store_outlook_fmspc(s->room.store, strcmp(tee, "tdx") == 0, fmspc, &o, err);
    if (rc == ATLS_OK) {
        tell(s, "a platform at today's newest level", &o);
    }
    return rc;
}

/* --- the command --- */

#define KINDS_MAX 64
typedef struct kinds {
    const char *tee[KINDS_MAX], *fmspc[KINDS_MAX];
    size_t n;
} kinds;

static int take(survey *s, kinds *k, int argc, char **argv)
{
    int id;
    flags_begin();
    while ((id = flags_next(&early_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id;
        }
        s->json = s->json || id == JSON;
        if (id == TEE && strcmp(optarg, "tdx") != 0 && strcmp(optarg, "sgx") != 0) {
            (void)say_refusal(ATLS_E_USAGE, "usage.argument", "--tee wants tdx or sgx");
            return FLAGS_WRONG;
        }
        s->tee = id == TEE ? optarg : s->tee;
        if (id == FMSPC && k->n == KINDS_MAX) {
            (void)say_refusal(ATLS_E_USAGE, "usage.option", "--fmspc stands more than %d times",
                              KINDS_MAX);
            return FLAGS_WRONG;
        }
        if (id == FMSPC) {
            k->tee[k->n] = s->tee;
            k->fmspc[k->n++] = optarg;
        }
        (void)(collateral_room_take(&s->room, id, optarg) ||
               collateral_setup_take(&s->source, id, optarg));
    }
    if (optind == argc && k->n == 0) {
        (void)say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", early_flags.usage);
        return FLAGS_WRONG;
    }
    return FLAGS_END;
}

static int survey_all(survey *s, const kinds *k, int argc, char **argv)
{
    atls_err err = {0};
    atls_code rc = collateral_room_open(&s->room, !s->source.fetch, (int64_t)time(NULL), &err);
    if (rc == ATLS_OK && s->source.fetch) {
        rc = collateral_fetcher_open(&s->source, s->room.store, NULL, &s->fetcher, &err);
    }
    if (s->json) {
        printf("{\"platforms\":[");
    }
    for (size_t i = 0; rc == ATLS_OK && i < k->n; i++) {
        rc = survey_fmspc(s, k->tee[i], k->fmspc[i], &err);
    }
    const char *about = NULL;
    for (int i = optind; rc == ATLS_OK && i < argc; i++) {
        about = argv[i];
        rc = survey_operand(s, about, &err);
    }
    if (s->json) {
        printf("],\"failing\":%zu,\"code\":%d}\n", s->failing,
               rc != ATLS_OK ? (int)rc : (s->failing > 0 ? ATLS_E_POLICY : ATLS_OK));
    } else if (rc == ATLS_OK) {
        printf("%zu of %zu platform%s will fail\n", s->failing, s->told, s->told == 1 ? "" : "s");
    }
    if (rc != ATLS_OK) {
        return say_err(&err, about);
    }
    return fflush(stdout) != 0
               ? say_refusal(ATLS_E_SYSTEM, "output.write", "the outlook could not be written")
           : s->failing > 0 ? ATLS_E_POLICY
                            : ATLS_OK;
}

int collateral_early(int argc, char **argv)
{
    survey s = {.tee = "tdx"};
    kinds k = {.n = 0};
    const int taken = take(&s, &k, argc, argv);
    const int status = taken == FLAGS_END    ? survey_all(&s, &k, argc, argv)
                       : taken == FLAGS_HELP ? ATLS_OK
                                             : ATLS_E_USAGE;
    atls_fetcher_free(s.fetcher);
    collateral_room_close(&s.room);
    free(s.seen);
    return status;
}
