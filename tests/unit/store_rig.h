/* store_rig.h: one simulated vendor whose collateral can be issued again and again under the same root: later, with
 * higher numbers, for other platforms; and a store, in a directory of its own, that trusts it. */
#ifndef ATLS_TESTS_STORE_RIG_H
#define ATLS_TESTS_STORE_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "codec/json.h"
#include "crypto/crl.h"
#include "sim/collateral.h"
#include "sim/crl.h"
#include <atls/store.h>

#define NOW 1790000000 /* 2026-09-21 */
#define TCB "intel/tcb/tdx/53494d000001"

typedef struct vendor {
    sim_plan plan;
    sim_pki pki;
    char *root;
} vendor;

static inline atls_buf store_text(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static inline void vendor_open(vendor *v)
{
    sim_machine machine = {0};
    memset(v, 0, sizeof *v);
    sim_plan_default(&v->plan);
    assert_int_equal(sim_pki_make(&v->plan, &machine, NOW, &v->pki, NULL), ATLS_OK);
    assert_int_equal(sim_pki_pem(v->pki.cert[SIM_ROOT], &v->root, NULL), ATLS_OK);
}

static inline void vendor_close(vendor *v)
{
    sim_pki_clear(&v->pki);
    free(v->root);
}

/* The contract's JSON for a platform as the vendor would give it out at that time; the caller frees it. */
static inline char *vendor_json(const vendor *v, sim_tee tee, const char *fmspc, int64_t when_s,
                                int number)
{
    vendor again = *v;
    char *json = NULL;
    again.plan.tcb_info.fmspc = fmspc;
    again.plan.tcb_info.evaluation_number = number;
    again.plan.qe_identity.evaluation_number = number;
    assert_int_equal(sim_collateral_make(&again.plan, tee, when_s, &again.pki, &json, NULL),
                     ATLS_OK);
    return json;
}

/* An item of its own; freed with made_free. */
typedef struct made {
    atls_item item;
    char *key, *chain, *body;
} made;

static inline void made_free(made *m)
{
    free(m->key);
    free(m->chain);
    free(m->body);
}

static inline made made_of(const char *key, const char *chain, atls_buf body)
{
    made m = {.key = strdup(key), .chain = strdup(chain), .body = malloc(body.len + 1)};
    assert_non_null(m.body);
    memcpy(m.body, body.ptr, body.len);
    m.item = (atls_item){m.key, store_text(m.chain), {(const uint8_t *)m.body, body.len}};
    return m;
}

/* TCB info for TDX of the platform whose FMSPC ends with that byte. */
static inline made vendor_tcb(const vendor *v, unsigned platform, int64_t when_s, int number)
{
    char fmspc[13];
    char key[ATLS_ITEM_KEY_LEN];
    (void)snprintf(fmspc, sizeof fmspc, "53494D%06X", platform);
    (void)snprintf(key, sizeof key, "intel/tcb/tdx/53494d%06x", platform);
    char *json = vendor_json(v, SIM_TDX, fmspc, when_s, number);
    json_t *object = NULL;
    assert_int_equal(atls_json_parse(store_text(json), 1u << 20, "test.json", &object, NULL),
                     ATLS_OK);
    const char *text = json_string_value(json_object_get(object, "tcb_info"));
    const char *signature = json_string_value(json_object_get(object, "tcb_info_signature"));
    const size_t cap = strlen(text) + strlen(signature) + 64;
    char *body = malloc(cap);
    assert_non_null(body);
    (void)snprintf(body, cap, "{\"tcbInfo\":%s,\"signature\":\"%s\"}", text, signature);
    made m = made_of(key, json_string_value(json_object_get(object, "tcb_info_issuer_chain")),
                     store_text(body));
    free(body);
    json_decref(object);
    free(json);
    return m;
}

/* The CRL of the root, as of that time. */
static inline made vendor_root_crl(const vendor *v, int64_t when_s)
{
    X509_CRL *crl = sim_crl_make(&v->plan.root_crl, when_s, &v->pki);
    uint8_t *der = NULL;
    const int len = i2d_X509_CRL(crl, &der);
    assert_true(len > 0);
    made m = made_of("intel/rootcrl", "", (atls_buf){der, (size_t)len});
    OPENSSL_free(der);
    X509_CRL_free(crl);
    return m;
}

/* --- stores --- */

static inline atls_store *store_open(const vendor *v, const char *dir)
{
    atls_store *s = NULL;
    atls_err err = {0};
    const atls_code rc = atls_store_open(dir, &s, &err);
    if (rc != ATLS_OK) {
        print_error("%s: %s\n", err.check, err.msg);
    }
    assert_int_equal(rc, ATLS_OK);
    assert_int_equal(atls_store_insecure_trust_simulator(s, store_text(v->root), NULL), ATLS_OK);
    return s;
}

static inline atls_store *store_loaded(const vendor *v, const char *dir, int64_t when_s)
{
    atls_store *s = store_open(v, dir);
    assert_int_equal(atls_store_load(s, when_s, NULL), ATLS_OK);
    return s;
}

static inline atls_code store_take(atls_store *s, const made *m, int64_t when_s, atls_err *err)
{
    return atls_store_take(s, &m->item, ATLS_ITEM_FETCHED, "https://vendor.example", when_s, err);
}

static inline void assert_taken(atls_store *s, const made *m, int64_t when_s)
{
    atls_err err = {0};
    const atls_code rc = store_take(s, m, when_s, &err);
    if (rc != ATLS_OK) {
        print_error("%s: %s: %s\n", m->item.key, err.check, err.msg);
    }
    assert_int_equal(rc, ATLS_OK);
}

#define assert_not_taken(call, wanted_code, wanted_check)                                          \
    do {                                                                                           \
        atls_err why_ = {0};                                                                       \
        atls_err *err = &why_;                                                                     \
        const atls_code rc_ = (call);                                                              \
        if (rc_ != (wanted_code) || why_.check == NULL ||                                          \
            strcmp(why_.check, (wanted_check)) != 0) {                                             \
            print_error("%d %s: %s\n", (int)rc_, why_.check, why_.msg);                            \
        }                                                                                          \
        assert_int_equal(rc_, (wanted_code));                                                      \
        assert_non_null(why_.check);                                                               \
        assert_string_equal(why_.check, (wanted_check));                                           \
    } while (0)

/* Does the store hold that very body under its key? */
static inline bool holds(const atls_store *s, const made *m)
{
    atls_held *h = NULL;
    if (!atls_store_get(s, m->item.key, &h)) {
        return false;
    }
    atls_item item;
    atls_held_item(h, &item);
    const bool same = item.body.len == m->item.body.len &&
                      memcmp(item.body.ptr, m->item.body.ptr, item.body.len) == 0;
    atls_held_free(h);
    return same;
}

static inline bool status_of(const atls_store *s, const char *key, atls_item_status *out)
{
    atls_held *h = NULL;
    if (!atls_store_get(s, key, &h)) {
        return false;
    }
    atls_held_status(h, out);
    atls_held_free(h);
    return true;
}

static inline size_t count_of(const atls_store *s)
{
    atls_item_status status;
    size_t n = 0;
    while (atls_store_at(s, n, &status)) {
        n++;
    }
    return n;
}

/* Is there a note with that text in it? */
static inline bool noted(const atls_store *s, const char *text)
{
    for (size_t i = 0; atls_store_note(s, i) != NULL; i++) {
        if (strstr(atls_store_note(s, i), text) != NULL) {
            return true;
        }
    }
    return false;
}

static inline void print_notes(const atls_store *s)
{
    for (size_t i = 0; atls_store_note(s, i) != NULL; i++) {
        print_message("note: %s\n", atls_store_note(s, i));
    }
}

/* --- directories --- */

/* A store's directory has two levels. */
static inline void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    while (d != NULL && (entry = readdir(d)) != NULL) {
        char inner[2048];
        const int len = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        assert_true(len > 0 && (size_t)len < sizeof inner);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(inner) != 0) {
            remove_tree(inner);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    (void)rmdir(path);
}

/* In memory where there is such a place: hundreds of syncs take minutes on a busy disk. */
static inline char *fresh_dir(void)
{
    const char *top = getenv("TMPDIR");
    char path[512];
    if (top == NULL) {
        top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    (void)snprintf(path, sizeof path, "%s/atls-store-XXXXXX", top);
    assert_non_null(mkdtemp(path));
    return strdup(path);
}

static inline void close_dir(char *path)
{
    remove_tree(path);
    free(path);
}

#endif
