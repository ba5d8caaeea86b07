/* The endorsements extension: from collateral and back, every form that peers write, each rule wrong alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atls/sim.h>
#include <atls/verifier.h>

#include "base/hex.h"
#include "base/text.h"
#include "base/writer.h"
#include "binding/tcg_endorsements.h"
#include "codec/cbor.h"
#include "codec/json.h"
#include "crypto/crl.h"
#include "simulated.h"

static char *json_of_sim;
static json_t *object_of_sim;

static int set_up_all(void **state)
{
    (void)state;
    atls_sim *sim = NULL;
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_collateral(sim, "tdx", &json_of_sim, NULL), ATLS_OK);
    assert_int_equal(atls_json_parse(text_buf(json_of_sim), 1u << 20, "test", &object_of_sim, NULL),
                     ATLS_OK);
    atls_sim_free(sim);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    json_decref(object_of_sim);
    atls_free(json_of_sim);
    return 0;
}

static const char *text_of(const char *member)
{
    return json_string_value(json_object_get(object_of_sim, member));
}

static const char *refusal(atls_buf value)
{
    char *json = NULL;
    atls_err err = {0};
    atls_code rc = atls_tcg_endorsements_read(value, &json, &err);
    assert_int_equal(rc, err.code);
    assert_true((rc == ATLS_OK) == (json != NULL));
    free(json);
    return rc == ATLS_OK ? "ok" : err.check;
}

static void there_and_back(void **state)
{
    (void)state;
    static const char *const members[] = {"pck_crl_issuer_chain",
                                          "tcb_info_issuer_chain",
                                          "tcb_info",
                                          "tcb_info_signature",
                                          "qe_identity_issuer_chain",
                                          "qe_identity",
                                          "qe_identity_signature",
                                          "root_ca_crl",
                                          "pck_crl"};
    uint8_t *value = NULL;
    size_t len = 0;
    char *json = NULL;
    json_t *read = NULL;
    assert_int_equal(atls_tcg_endorsements_make(text_buf(json_of_sim), &value, &len, NULL),
                     ATLS_OK);
    assert_memory_equal(value, "\xd9\xea\x60\x88\x1a\x00\x01\x00\x03", 9);
    assert_int_equal(atls_tcg_endorsements_read((atls_buf){value, len}, &json, NULL), ATLS_OK);
    assert_int_equal(atls_json_parse(text_buf(json), 1u << 20, "test", &read, NULL), ATLS_OK);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *found = json_string_value(json_object_get(read, members[i]));
        assert_non_null(found);
        if (i < 7) {
            assert_string_equal(found, text_of(members[i]));
            continue;
        }
        uint8_t space[2][8192];
        atls_buf der[2];
        assert_int_equal(atls_crl_decode(text_buf(found), space[0], &der[0], NULL), ATLS_OK);
        assert_int_equal(atls_crl_decode(text_buf(text_of(members[i])), space[1], &der[1], NULL),
                         ATLS_OK);
        assert_int_equal(der[0].len, der[1].len);
        assert_memory_equal(der[0].ptr, der[1].ptr, der[0].len);
    }
    assert_int_equal(json_object_size(read), 9);
    /* every truncation, one byte more */
    for (size_t less = 0; less < len; less++) {
        assert_string_equal(refusal((atls_buf){value, less}), "tcg.endorsements");
    }
    size_t room = 32; /* of an older libcbor's buffer, which is sent whole */
    while (room < len) {
        room *= 2;
    }
    uint8_t *more = calloc(1, 2 * room);
    assert_non_null(more);
    memcpy(more, value, len);
    assert_string_equal(refusal((atls_buf){more, len + 1}), "tcg.endorsements");
    assert_string_equal(refusal((atls_buf){more, room - 1}), "tcg.endorsements");
    assert_string_equal(refusal((atls_buf){more, room}), "ok");
    assert_string_equal(refusal((atls_buf){more, room + 1}), "tcg.endorsements");
    assert_string_equal(refusal((atls_buf){more, 2 * room}), "tcg.endorsements");
    free(more);
    json_decref(read);
    free(json);
    free(value);
}

/* --- by hand --- */

typedef enum crl_form { AS_DER, AS_HEX, AS_HEX_NUL, AS_TEXT, AS_OTHER_HEX } crl_form;

typedef struct plan { /* zero: as it should be */
    uint64_t tag, count, version;
    bool wide;         /* the version in four bytes */
    bool nul, created; /* a NUL behind texts; a ninth item */
    crl_form crl;
    size_t replaced; /* this item: by these bytes */
    const char *by;
    bool as_text; /* item 1 is a text string */
} plan;

static void put_text(atls_writer *w, const char *text, bool nul)
{
    atls_cbor_write_string(w, ATLS_CBOR_BYTES,
                           (atls_buf){(const uint8_t *)text, strlen(text) + (nul ? 1 : 0)});
}

static void put_crl(atls_writer *w, const char *member, crl_form form)
{
    uint8_t space[8192];
    char hex[2 * sizeof space + 1];
    atls_buf der;
    assert_int_equal(atls_crl_decode(text_buf(text_of(member)), space, &der, NULL), ATLS_OK);
    atls_hex_encode(der, hex);
    if (form == AS_DER) {
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, der);
    } else {
        put_text(w,
                 form == AS_TEXT        ? "no list"
                 : form == AS_OTHER_HEX ? "5984"
                                        : hex,
                 form == AS_HEX_NUL);
    }
}

static void put_signed(atls_writer *w, const plan *p, const char *inner, const char *member,
                       const char *signature)
{
    atls_text t = atls_text_of(1u << 20);
    atls_text_add(&t, "{\"%s\":%s, \"signature\" : \"%s\"}", inner, text_of(member),
                  text_of(signature));
    char *text = atls_text_take(&t);
    if (p->as_text) {
        atls_cbor_write_string(w, ATLS_CBOR_TEXT, text_buf(text));
    } else {
        put_text(w, text, p->nul);
    }
    free(text);
}

static void put_item(atls_writer *w, const plan *p, size_t i)
{
    if (i == p->replaced) {
        put_text(w, p->by, false);
        return;
    }
    switch (i) {
    case 1:
        put_signed(w, p, "tcbInfo", "tcb_info", "tcb_info_signature");
        break;
    case 2:
        put_text(w, text_of("tcb_info_issuer_chain"), p->nul);
        break;
    case 3:
        put_crl(w, "pck_crl", p->crl);
        break;
    case 4:
        put_crl(w, "root_ca_crl", p->crl);
        break;
    case 5:
        put_text(w, text_of("pck_crl_issuer_chain"), p->nul);
        break;
    case 6:
        put_signed(w, p, "enclaveIdentity", "qe_identity", "qe_identity_signature");
        break;
    default:
        put_text(w, text_of("qe_identity_issuer_chain"), p->nul);
        break;
    }
}

static const char *judge(const plan *p)
{
    const uint64_t count = p->count > 0 ? p->count : 8;
    const uint64_t version = p->version > 0 ? p->version : 3;
    const size_t cap = 1u << 20;
    uint8_t *space = malloc(cap);
    atls_writer w = atls_writer_of(space, cap);
    atls_cbor_write_head(&w, ATLS_CBOR_TAG, p->tag > 0 ? p->tag : 60000);
    atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, count);
    if (p->wide) {
        atls_writer_u8(&w, 0x1a);
        atls_writer_u16be(&w, (uint16_t)(version / 65536));
        atls_writer_u16be(&w, (uint16_t)(version % 65536));
    } else {
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, version);
    }
    for (size_t i = 1; i < 8 && i < count; i++) {
        put_item(&w, p, i);
    }
    for (size_t i = 8; i < count; i++) {
        put_text(&w, "2024-01-01T00:00:00Z", false);
    }
    const char *found = refusal(atls_writer_done(&w));
    free(space);
    return found;
}

static void each_rule_alone(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        plan p;
        const char *check;
    } cases[] = {
        {"as rats-tls writes it", {.wide = true, .nul = true, .crl = AS_HEX_NUL}, "ok"},
        {"in shortest form", {.crl = AS_HEX}, "ok"},
        {"version 3.1", {.version = 0x10003, .crl = AS_DER}, "ok"},
        {"3.0 with DER all the same", {.crl = AS_DER}, "ok"},
        {"with a date", {.count = 9, .crl = AS_HEX}, "ok"},
        {"seven items", {.count = 7}, "tcg.endorsements"},
        {"ten items", {.count = 10}, "tcg.endorsements"},
        {"another tag", {.tag = 60001}, "tcg.endorsements"},
        {"version 1", {.version = 1}, "tcg.endorsements"},
        {"version 4", {.version = 4}, "tcg.endorsements"},
        {"version 3.2", {.version = 0x20003}, "tcg.endorsements"},
        {"a text string", {.as_text = true}, "tcg.endorsements"},
        {"a CRL that is none", {.crl = AS_TEXT}, "tcg.endorsements"},
        {"hex of something else", {.crl = AS_OTHER_HEX}, "tcg.endorsements"},
        {"an empty chain", {.replaced = 2, .by = ""}, "tcg.endorsements"},
        {"a chain that is not UTF-8", {.replaced = 5, .by = "\xff"}, "tcg.endorsements"},
        {"TCB info that is no JSON", {.replaced = 1, .by = "{"}, "tcg.endorsements"},
        {"TCB info without signature",
         {.replaced = 1, .by = "{\"tcbInfo\":{}}"},
         "tcg.endorsements"},
        {"TCB info without body",
         {.replaced = 1, .by = "{\"signature\":\"00\"}"},
         "tcg.endorsements"},
        {"a body that is no object",
         {.replaced = 1, .by = "{\"tcbInfo\":\"\",\"signature\":\"00\"}"},
         "tcg.endorsements"},
        {"a signature that is too short",
         {.replaced = 1, .by = "{\"tcbInfo\":{},\"signature\":\"00\"}"},
         "tcg.endorsements"},
        {"a signature that is no text",
         {.replaced = 1, .by = "{\"tcbInfo\":{},\"signature\":0}"},
         "tcg.endorsements"},
        {"QE identity under TCB info's name",
         {.replaced = 6, .by = "{\"tcbInfo\":{},\"signature\":\"00\"}"},
         "tcg.endorsements"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = judge(&cases[i].p);
        if (strcmp(found, cases[i].check) != 0) {
            print_error("%s: %s\n", cases[i].what, found);
        }
        assert_string_equal(found, cases[i].check);
    }
    static const uint8_t large[ATLS_TCG_ENDORSEMENTS_MAX + 1];
    assert_string_equal(refusal((atls_buf){large, sizeof large}), "tcg.endorsements");
}

static void collateral_that_lacks_something(void **state)
{
    (void)state;
    static const char *const members[] = {
        "pck_crl_issuer_chain",     "root_ca_crl", "pck_crl",
        "tcb_info_issuer_chain",    "tcb_info",    "tcb_info_signature",
        "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *less = json_copy(object_of_sim);
        json_object_del(less, members[i]);
        char *text = atls_json_write(less, JSON_COMPACT);
        uint8_t *out = NULL;
        size_t len = 0;
        atls_err err = {0};
        assert_int_equal(atls_tcg_endorsements_make(text_buf(text), &out, &len, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "tcg.make");
        assert_null(out);
        free(text);
        json_decref(less);
    }
    static const char *const spoilt[] = {"root_ca_crl", "tcb_info_signature"};
    for (size_t i = 0; i < 2; i++) {
        json_t *other = json_copy(object_of_sim);
        json_object_set_new(other, spoilt[i], json_string("5984"));
        char *text = atls_json_write(other, JSON_COMPACT);
        uint8_t *made = NULL;
        size_t made_len = 0;
        atls_err err = {0};
        assert_int_equal(atls_tcg_endorsements_make(text_buf(text), &made, &made_len, &err),
                         ATLS_E_USAGE);
        assert_string_equal(err.check, "tcg.make");
        free(text);
        json_decref(other);
    }
    uint8_t *out = NULL;
    size_t len = 0;
    assert_int_equal(atls_tcg_endorsements_make(text_buf("{"), &out, &len, NULL), ATLS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(each_rule_alone),
        cmocka_unit_test(collateral_that_lacks_something),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
