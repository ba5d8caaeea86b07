/* Each way in which an origin can go wrong, for each kind of item: what a user is told, and that a second origin helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <atls/fetch.h>

#include "base/hex.h"
#include "codec/base64.h"
#include "collateral/scripted_origin.h"

#define KINDS  9
#define ISSUER "https://issuer.example"

static const char *const kinds[KINDS] = {"tcb",  "qe",    "pckcrl",  "rootcrl", "pck",
                                         "vcek", "chain", "amd crl", "jwks"};
static char keys[KINDS][ATLS_ITEM_KEY_LEN] = {"intel/tcb/tdx/53494d000000",
                                              "intel/qe/tdx",
                                              "intel/pckcrl/platform",
                                              "intel/rootcrl",
                                              "",
                                              "",
                                              "amd/chain/vcek/Milan",
                                              "amd/crl/vcek/Milan",
                                              "jwks/https%3a%2f%2fissuer.example"};

/* NULL in wants: the fault does not show there, so the item is had. "snp.ca.missing": the simulator's ASK is an item, too, and was
 * refused for the same fault. */
typedef struct fault {
    const char *name, *world, *rule;
    const char *wants[KINDS];
} fault;

#define EVERY(check)                                                                               \
    {                                                                                              \
        check, check, check, check, check, check, check, check, check                              \
    }
#define RULE(text) "{\"match\":\"\"," text "}"

static const fault faults[] = {
    {"429", "good", RULE("\"status\":429"), EVERY("fetch.throttled")},
    {"429, peace of an hour", "good", RULE("\"status\":429,\"retry_after\":\"3600\""),
     EVERY("fetch.throttled")},
    {"404", "good", RULE("\"status\":404"), EVERY("fetch.absent")},
    {"500", "good", RULE("\"status\":500"), EVERY("fetch.server")},
    {"503, peace of an hour",
     "good",
     RULE("\"status\":503,\"retry_after\":\"3600\""),
     {"fetch.server", "fetch.server", "fetch.server", "fetch.server", "fetch.server",
      "fetch.server", "fetch.server", "fetch.server", "fetch.server"}},
    {"401", "good", RULE("\"status\":401"), EVERY("fetch.denied")},
    {"400", "good", RULE("\"status\":400"), EVERY("fetch.status")},
    {"redirect", "good", RULE("\"redirect\":\"https://elsewhere.example/\""),
     EVERY("fetch.redirect")},
    {"login page", "good", RULE("\"type\":\"text/html\",\"body\":\"<html>log in</html>\""),
     EVERY("fetch.content_type")},
    {"too slow", "good", RULE("\"delay\":8"), EVERY("fetch.timeout")},
    {"drops before", "good", RULE("\"drop\":\"before\""), EVERY("fetch.cut")},
    {"drops in the head",
     "good",
     RULE("\"drop\":\"head\""),
     {"fetch.chain", "fetch.chain", "fetch.chain", "fetch.body", "fetch.chain", "fetch.body",
      "fetch.body", "fetch.body", "fetch.body"}},
    {"drops amid", "good", RULE("\"drop\":\"amid\""), EVERY("fetch.cut")},
    {"truncates", "good", RULE("\"truncate\":10"), EVERY("fetch.cut")},
    {"length too long", "good", RULE("\"length\":\"longer\""), EVERY("fetch.cut")},
    {"length too short",
     "good",
     RULE("\"length\":\"shorter\""),
     {"fetch.body", "fetch.body", "fetch.body", "fetch.body", "fetch.body", "fetch.body",
      "fetch.body", "fetch.body", "fetch.body"}},
    {"length no number",
     "good",
     RULE("\"length\":\"garbage\""),
     {"fetch.http", "fetch.http", "fetch.http", "fetch.http", "fetch.http", "fetch.http",
      "fetch.http", "fetch.http", "fetch.http"}},
    {"length absurd",
     "good",
     RULE("\"length\":\"huge\""),
     {"fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut",
      "fetch.cut", "fetch.cut"}},
    {"chunks cut", "good", RULE("\"length\":\"chunked-cut\""), EVERY("fetch.cut")},
    {"chunks of garbage",
     "good",
     RULE("\"length\":\"chunked-garbage\""),
     {"fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut", "fetch.cut",
      "fetch.cut", "fetch.cut"}},
    {"no end", "good", RULE("\"endless\":true"), EVERY("fetch.size")},
    {"no HTTP", "good", RULE("\"garbage\":\"status\""), EVERY("fetch.http")},
    {"headers too large",
     "good",
     RULE("\"garbage\":\"large\""),
     {"fetch.size", "fetch.size", "fetch.size", "fetch.size", "fetch.size", "fetch.size",
      "fetch.size", "fetch.size", "fetch.size"}},
    {"headers too many",
     "good",
     RULE("\"garbage\":\"many\""),
     {"fetch.size", "fetch.size", "fetch.size", "fetch.size", "fetch.size", "fetch.size",
      "fetch.size", "fetch.size", "fetch.size"}},
    {"empty",
     "good",
     RULE("\"body\":\"\""),
     {"fetch.body", "fetch.body", "fetch.body", "fetch.content_type", "fetch.body", "fetch.body",
      "fetch.body", "fetch.body", "fetch.body"}},
    {"other JSON",
     "good",
     RULE("\"body\":\"{}\""),
     {"tcb_info.format", "qe_identity.format", "fetch.body", "fetch.body", "fetch.body",
      "fetch.body", "fetch.body", "fetch.body", "jwks.key"}},
    {"noise",
     "good",
     RULE("\"body_hex\":\"0001020304050607\""),
     {"fetch.body", "fetch.body", "fetch.body", "fetch.body", "fetch.body", "fetch.body",
      "fetch.body", "fetch.body", "fetch.body"}},
    {"no chain",
     "good",
     RULE("\"headers\":{\"TCB-Info-Issuer-Chain\":null,\"SGX-Enclave-Identity-Issuer-Chain\":null,"
          "\"SGX-PCK-CRL-Issuer-Chain\":null,\"SGX-PCK-Certificate-Issuer-Chain\":null}"),
     {"fetch.chain", "fetch.chain", "fetch.chain", NULL, "fetch.chain", NULL, NULL, NULL, NULL}},
    {"expired",
     "past",
     "",
     {"item.expired", "item.expired", "item.expired", "item.expired", "item.expired",
      "snp.ca.missing", "item.expired", "item.expired", NULL}},
    {"of the future",
     "future",
     "",
     {"item.future", "item.future", "item.future", "item.future", "item.future", "snp.ca.missing",
      "item.future", "item.future", NULL}},
    {"of another root",
     "other",
     "",
     {"tcb_info.chain.root", "qe_identity.chain.root", "pck.chain.root", "root_crl.signature",
      "pck.chain.root", "snp.ca.missing", "snp.root.trusted", "snp.crl.signature", NULL}},
    {"switched amid",
     "good",
     RULE("\"switch\":\"other\""),
     {"tcb_info.signature", "qe_identity.signature", "", "", "", "", "", "", ""}},
};
#define FAULTS (sizeof faults / sizeof faults[0])

#define LANES 8 /* faults at a time, each with an origin of its own */

typedef struct asker {
    atls_fetcher *f;
    size_t kind;
    atls_code code;
    atls_err err;
    pthread_t thread;
} asker;

typedef struct rig {
    char dir[64];
    scripted_origin bad[LANES], good;
    asker *got; /* [FAULTS][KINDS] */
    bool second;
} rig;
static rig the_rig;

/* The VCEK's key out of the simulated report, the PCK certificate's out of the simulator's state. */
static void make_keys(const char *dir)
{
    char *text = scripted_read(dir, "good", "snp.json");
    json_t *bundle = json_loads(text, 0, NULL);
    const char *base64 = json_string_value(json_object_get(bundle, "report"));
    uint8_t report[2048];
    size_t len = 0;
    assert_int_equal(atls_base64_decode((atls_buf){(const uint8_t *)base64, strlen(base64)}, report,
                                        sizeof report, &len),
                     true);
    char chip[129];
    char tcb[17];
    atls_hex_encode((atls_buf){report + 0x1a0, 64}, chip);
    atls_hex_encode((atls_buf){report + 0x180, 8}, tcb);
    (void)snprintf(keys[5], sizeof keys[5], "amd/vcek/Milan/%s/%s", chip, tcb);
    json_decref(bundle);
    free(text);
    text = scripted_read(dir, "good", "state.json");
    json_t *state = json_loads(text, 0, NULL);
    (void)snprintf(keys[4], sizeof keys[4], "intel/pck/%s/%032d/ffff/0000",
                   json_string_value(json_object_get(state, "qe_id")), 0);
    memset(strchr(keys[4] + 10, '/') + 1, 'f', 32);
    json_decref(state);
    free(text);
}

typedef struct maker {
    const char *dir, *name, *options;
    pthread_t thread;
} maker;

static void *make_world(void *arg)
{
    const maker *m = arg;
    scripted_make_world(m->dir, m->name, m->options);
    return NULL;
}

static int set_up(void **state)
{
    static const char *const worlds[] = {"good", "past", "future", "other", "newer", NULL};
    rig *r = &the_rig;
    scripted_make_dir(r->dir);
    static const char *const options[] = {
        "--family snp,jwt", "--family snp,jwt --at 2005-01-01T00:00:00Z",
        "--family snp,jwt --at 2045-01-01T00:00:00Z", "--family snp,jwt"};
    maker makers[4];
    for (size_t i = 0; i < 4; i++) {
        makers[i] = (maker){.dir = r->dir, .name = worlds[i], .options = options[i]};
        assert_int_equal(pthread_create(&makers[i].thread, NULL, make_world, &makers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(makers[i].thread, NULL);
    }
    char renewed[128];
    (void)snprintf(renewed, sizeof renewed, "--renew '%.63s/good' --number 99", r->dir);
    scripted_make_world(r->dir, "newer", renewed);
    make_keys(r->dir);
    for (size_t i = 0; i < LANES; i++) {
        scripted_start(&r->bad[i], r->dir, worlds);
    }
    scripted_start(&r->good, r->dir, worlds);
    char path[128];
    (void)snprintf(path, sizeof path, "%.63s/cas.pem", r->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (size_t i = 0; i <= LANES; i++) {
        char *ca = scripted_read("", "", i < LANES ? r->bad[i].ca : r->good.ca);
        (void)fputs(ca, out);
        free(ca);
    }
    (void)fclose(out);
    r->got = calloc(FAULTS * KINDS, sizeof *r->got);
    assert_non_null(r->got);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig *r = *state;
    for (size_t i = 0; i < LANES; i++) {
        scripted_stop(&r->bad[i]);
    }
    free(r->got);
    scripted_stop(&r->good);
    scripted_sweep(r->dir);
    return 0;
}

static void trust_world(atls_store *store, const char *dir, const char *name)
{
    char *root = scripted_read(dir, name, "root.pem");
    atls_err err;
    assert_int_equal(atls_store_insecure_trust_simulator(
                         store, (atls_buf){(const uint8_t *)root, strlen(root)}, &err),
                     ATLS_OK);
    free(root);
}

static void add_origins(atls_fetcher *f, const scripted_origin *o)
{
    atls_err err;
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s=%s%s",
                       i == 0   ? "pccs"
                       : i == 1 ? "amd"
                                : "jwks:" ISSUER,
                       o->url, i == 2 ? "/jwks" : "");
        assert_int_equal(atls_fetcher_add_origin(f, text, &err), ATLS_OK);
    }
}

static void *ask(void *arg)
{
    asker *me = arg;
    atls_needs needs = {.n = 1};
    (void)snprintf(needs.keys[0], sizeof needs.keys[0], "%s", keys[me->kind]);
    me->err = (atls_err){.check = "ok"};
    me->code = atls_fetcher_get(me->f, &needs, 0, &me->err);
    return NULL;
}

/* Every kind at once, with an empty store. */
static void ask_all(const rig *r, size_t lane, const char *total, asker out[KINDS])
{
    static const char *const trusted[] = {"good", "past", "future"};
    atls_store *store = NULL;
    atls_fetcher *f = NULL;
    atls_err err;
    char both[256];
    assert_int_equal(atls_store_open(NULL, &store, &err), ATLS_OK);
    for (size_t i = 0; i < 3; i++) {
        trust_world(store, r->dir, trusted[i]);
    }
    assert_int_equal(atls_fetcher_new(store, &f, &err), ATLS_OK);
    add_origins(f, &r->bad[lane]);
    if (r->second) {
        add_origins(f, &r->good);
    }
    (void)snprintf(both, sizeof both, "%s/cas.pem", r->dir);
    if (atls_fetcher_set_option(f, "ca", both, &err) != ATLS_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(atls_fetcher_set_option(f, "total-timeout", total, &err), ATLS_OK);
    assert_int_equal(atls_fetcher_set_option(f, "request-timeout", "5", &err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(f, &err), ATLS_OK);
    for (size_t i = 0; i < KINDS; i++) {
        out[i] = (asker){.f = f, .kind = i};
        assert_int_equal(pthread_create(&out[i].thread, NULL, ask, &out[i]), 0);
    }
    for (size_t i = 0; i < KINDS; i++) {
        (void)pthread_join(out[i].thread, NULL);
    }
    atls_fetcher_free(f);
    atls_store_free(store);
}

/* late: cells of a busy machine, where the item's total time ended amid the last of the attempts. */
static unsigned compare(const fault *f, const asker got[KINDS], unsigned *late)
{
    unsigned wrong = 0;
    (void)printf("%-22s", f->name);
    for (size_t i = 0; i < KINDS; i++) {
        (void)printf(" %d %-20s", (int)got[i].code,
                     got[i].code == ATLS_OK ? "ok" : got[i].err.check);
        const char *want = f->wants[i] != NULL ? f->wants[i] : "ok";
        const char *found = got[i].code == ATLS_OK ? "ok" : got[i].err.check;
        /* One kind's answer asks for peace, so others may not have been asked at all. */
        const bool peace = strncmp(f->name, "503", 3) == 0 && strcmp(found, "fetch.throttled") == 0;
        /* "": a refusal, which one depends on random bytes */
        const bool any = want[0] == '\0' && got[i].code != ATLS_OK;
        const bool is_late = strcmp(want, found) != 0 && strcmp(found, "fetch.timeout") == 0;
        *late += is_late;
        wrong += strcmp(want, found) != 0 && !peace && !any && !is_late;
    }
    (void)printf("\n    %s\n", got[0].err.msg);
    return wrong;
}

typedef struct lane {
    const rig *r;
    size_t number;
    pthread_t thread;
} lane;

static void *go_wrong(void *arg)
{
    const lane *l = arg;
    for (size_t i = l->number; i < FAULTS; i += LANES) {
        if (l->r->second && i % 3 != 0) {
            continue; /* every third, or it takes minutes */
        }
        scripted_tell(&l->r->bad[l->number], faults[i].world, faults[i].rule);
        ask_all(l->r, l->number, l->r->second ? "20" : "6", l->r->got + i * KINDS);
    }
    return NULL;
}

static void try_all(rig *r, bool second)
{
    lane lanes[LANES];
    r->second = second;
    for (size_t i = 0; i < LANES; i++) {
        lanes[i] = (lane){.r = r, .number = i};
        assert_int_equal(pthread_create(&lanes[i].thread, NULL, go_wrong, &lanes[i]), 0);
    }
    for (size_t i = 0; i < LANES; i++) {
        (void)pthread_join(lanes[i].thread, NULL);
    }
}

static void each_fault_has_its_name(void **state)
{
    rig *r = *state;
    unsigned wrong = 0;
    unsigned late = 0;
    try_all(r, false);
    (void)printf("%-22s", "");
    for (size_t i = 0; i < KINDS; i++) {
        (void)printf("   %-20s", kinds[i]);
    }
    (void)printf("\n");
    for (size_t i = 0; i < FAULTS; i++) {
        wrong += compare(&faults[i], r->got + i * KINDS, &late);
    }
    assert_int_equal(wrong, 0);
    assert_in_range(late, 0, 8);
}

static void a_second_origin_helps(void **state)
{
    rig *r = *state;
    unsigned wrong = 0;
    try_all(r, true);
    for (size_t i = 0; i < FAULTS; i++) {
        for (size_t k = 0; k < KINDS && i % 3 == 0; k++) {
            const asker *a = r->got + i * KINDS + k;
            if (a->code != ATLS_OK) {
                (void)printf("%s, %s: %s %s\n", faults[i].name, kinds[k], a->err.check, a->err.msg);
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static void a_good_origin_alone_suffices(void **state)
{
    rig *r = *state;
    asker got[KINDS];
    r->second = false;
    scripted_tell(&r->bad[0], "good", "");
    ask_all(r, 0, "20", got);
    for (size_t k = 0; k < KINDS; k++) {
        if (got[k].code != ATLS_OK) {
            fail_msg("%s: %s %s", kinds[k], got[k].err.check, got[k].err.msg);
        }
    }
}

/* An origin that has fallen back: what was seen before is not given up. Kinds without a number to fall back in are not asked. */
static void what_goes_back_is_refused(void **state)
{
    rig *r = *state;
    atls_store *store = NULL;
    atls_fetcher *f = NULL;
    atls_err err;
    char ca[256];
    assert_int_equal(atls_store_open(NULL, &store, &err), ATLS_OK);
    trust_world(store, r->dir, "good");
    assert_int_equal(atls_fetcher_new(store, &f, &err), ATLS_OK);
    add_origins(f, &r->bad[0]);
    (void)snprintf(ca, sizeof ca, "%s/cas.pem", r->dir);
    assert_int_equal(atls_fetcher_set_option(f, "ca", ca, &err), ATLS_OK);
    assert_int_equal(atls_fetcher_set_option(f, "total-timeout", "6", &err), ATLS_OK);
    assert_int_equal(atls_fetcher_start(f, &err), ATLS_OK);
    for (int turn = 0; turn < 2; turn++) {
        scripted_tell(&r->bad[0], turn == 0 ? "newer" : "good", "");
        for (size_t k = 0; k < 4; k++) {
            atls_needs needs = {.n = 1};
            err = (atls_err){.check = "ok"};
            (void)snprintf(needs.keys[0], sizeof needs.keys[0], "%.300s", keys[k]);
            const atls_code code = atls_fetcher_renew(f, &needs, 0, &err);
            (void)printf("%-22s %-8s %d %s\n", turn == 0 ? "newer" : "and back", kinds[k],
                         (int)code, code == ATLS_OK ? "ok" : err.check);
            assert_string_equal(code == ATLS_OK ? "ok" : err.check,
                                turn == 0 ? "ok" : "collateral.rollback");
            assert_int_equal(code, turn == 0 ? ATLS_OK : ATLS_E_COLLATERAL);
        }
    }
    atls_fetcher_free(f);
    atls_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_origin_alone_suffices),
        cmocka_unit_test(each_fault_has_its_name),
        cmocka_unit_test(a_second_origin_helps),
        cmocka_unit_test(what_goes_back_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
