/* The air gap: a bundle is taken whole or not at all. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "store/bundle_form.h"
#include "unit/store_rig.h"

typedef struct bench {
    vendor v;
    atls_store *from; /* has two items */
    made tcb, crl;
    char *private_pem[3], *public_pem[3]; /* P-256, P-384, Ed25519 */
} bench;

static char *pem_of(EVP_PKEY *key, bool is_private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *lent = NULL;
    assert_int_equal(is_private ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                                : PEM_write_bio_PUBKEY(bio, key),
                     1);
    const long len = BIO_get_mem_data(bio, &lent);
    char *pem = strndup(lent, (size_t)len);
    BIO_free(bio);
    return pem;
}

static int open_bench(void **state)
{
    static bench b;
    vendor_open(&b.v);
    b.from = store_open(&b.v, NULL);
    b.tcb = vendor_tcb(&b.v, 1, NOW, 17);
    b.crl = vendor_root_crl(&b.v, NOW);
    assert_taken(b.from, &b.tcb, NOW);
    assert_taken(b.from, &b.crl, NOW);
    EVP_PKEY *keys[3] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
                         EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < 3; i++) {
        b.private_pem[i] = pem_of(keys[i], true);
        b.public_pem[i] = pem_of(keys[i], false);
        EVP_PKEY_free(keys[i]);
    }
    *state = &b;
    return 0;
}

static int close_bench(void **state)
{
    bench *b = *state;
    atls_store_free(b->from);
    made_free(&b->tcb);
    made_free(&b->crl);
    for (size_t i = 0; i < 3; i++) {
        free(b->private_pem[i]);
        free(b->public_pem[i]);
    }
    vendor_close(&b->v);
    return 0;
}

static atls_buf bundle_of(const atls_store *s, const char *key)
{
    uint8_t *out = NULL;
    size_t len = 0;
    const atls_buf pem = key != NULL ? store_text(key) : (atls_buf){NULL, 0};
    assert_int_equal(atls_store_bundle(s, NULL, key != NULL ? &pem : NULL, NOW, &out, &len, NULL),
                     ATLS_OK);
    return (atls_buf){out, len};
}

static void bundle_free(atls_buf b)
{
    uint8_t *ptr;
    memcpy(&ptr, &b.ptr, sizeof ptr);
    atls_free(ptr);
}

static atls_code import(atls_store *s, atls_buf bundle, const char *public_pem, size_t *taken,
                        atls_err *err)
{
    const atls_buf pem = public_pem != NULL ? store_text(public_pem) : (atls_buf){NULL, 0};
    return atls_store_import(s, bundle, public_pem != NULL ? &pem : NULL, "all.bundle", NOW, taken,
                             err);
}

static void it_brings_all_items(void **state)
{
    const bench *b = *state;
    for (size_t i = 0; i < 4; i++) {
        const char *private_pem = i < 3 ? b->private_pem[i] : NULL;
        const char *public_pem = i < 3 ? b->public_pem[i] : NULL;
        atls_buf bundle = bundle_of(b->from, private_pem);
        assert_true(atls_store_bundle_looks(bundle));
        atls_store *to = store_open(&b->v, NULL);
        size_t taken = 0;
        assert_int_equal(import(to, bundle, public_pem, &taken, NULL), ATLS_OK);
        assert_int_equal(taken, 2);
        assert_true(holds(to, &b->tcb) && holds(to, &b->crl));
        atls_item_status status;
        assert_true(status_of(to, TCB, &status));
        assert_int_equal(status.source, ATLS_ITEM_IMPORTED);
        assert_string_equal(status.from, "all.bundle");
        /* Again: nothing new. And without the key: the items are signed for themselves. */
        assert_int_equal(import(to, bundle, NULL, &taken, NULL), ATLS_OK);
        assert_int_equal(taken, 0);
        atls_store_free(to);
        bundle_free(bundle);
    }
    assert_false(atls_store_bundle_looks(store_text("{\"tcb_info\":1}")));
    assert_false(atls_store_bundle_looks(store_text("ATLSCOL")));
}

static void chosen_items_only(void **state)
{
    const bench *b = *state;
    uint8_t *out = NULL;
    size_t len = 0;
    size_t taken = 0;
    const char *const keys[] = {TCB, TCB, NULL};
    const char *const absent[] = {TCB, "intel/qe/sgx", NULL};
    assert_int_equal(atls_store_bundle(b->from, keys, NULL, NOW, &out, &len, NULL), ATLS_OK);
    atls_store *to = store_open(&b->v, NULL);
    assert_int_equal(import(to, (atls_buf){out, len}, NULL, &taken, NULL), ATLS_OK);
    assert_int_equal(taken, 1);
    assert_true(holds(to, &b->tcb) && !holds(to, &b->crl));
    atls_free(out);
    assert_not_taken(atls_store_bundle(b->from, absent, NULL, NOW, &out, &len, err),
                     ATLS_E_COLLATERAL, "store.bundle.absent");
    assert_not_taken(atls_store_bundle(b->from, keys, NULL, NOW + 31 * SIM_DAY, &out, &len, err),
                     ATLS_E_COLLATERAL, "item.expired");
    /* Of all, those that are over stay behind. */
    assert_int_equal(atls_store_bundle(b->from, NULL, NULL, NOW + 31 * SIM_DAY, &out, &len, NULL),
                     ATLS_OK);
    assert_int_equal(import(to, (atls_buf){out, len}, NULL, &taken, NULL), ATLS_OK);
    assert_int_equal(taken, 0);
    atls_free(out);
    atls_store_free(to);
}

/* Every byte and every length: refused with a reason, and nothing changed. */
static void a_changed_bundle_is_refused(void **state)
{
    const bench *b = *state;
    for (size_t k = 0; k < 2; k++) { /* unsigned; signed, and the key is not known here */
        atls_buf bundle = bundle_of(b->from, k == 0 ? NULL : b->private_pem[0]);
        uint8_t *bytes = malloc(bundle.len + 1);
        assert_non_null(bytes);
        memcpy(bytes, bundle.ptr, bundle.len);
        bytes[bundle.len] = 0;
        atls_store *to = store_open(&b->v, NULL);
        size_t taken = 77;
        for (size_t i = 0; i < bundle.len; i++) {
            atls_err err = {0};
            bytes[i] ^= (uint8_t)(1u << (i % 8));
            assert_int_equal(import(to, (atls_buf){bytes, bundle.len}, NULL, &taken, &err),
                             ATLS_E_INVALID);
            assert_non_null(err.check);
            bytes[i] ^= (uint8_t)(1u << (i % 8));
        }
        bytes[10] ^= 1; /* when it was made: nothing else looks at that */
        assert_not_taken(import(to, (atls_buf){bytes, bundle.len}, NULL, &taken, err),
                         ATLS_E_INVALID, "store.bundle.checksum");
        bytes[10] ^= 1;
        for (size_t len = 0; len <= bundle.len + 1; len += len < bundle.len - 1 ? 7 : 1) {
            atls_err err = {0};
            len = len > bundle.len + 1 ? bundle.len + 1 : len;
            if (len != bundle.len) {
                assert_int_equal(import(to, (atls_buf){bytes, len}, NULL, &taken, &err),
                                 ATLS_E_INVALID);
                assert_non_null(err.check);
            }
        }
        assert_int_equal(taken, 77);
        assert_int_equal(count_of(to), 0);
        atls_store_free(to);
        free(bytes);
        bundle_free(bundle);
    }
}

/* The checksum vouches for nothing: somebody who changes a bundle makes it anew. */
static void the_operators_key_is_asked(void **state)
{
    const bench *b = *state;
    atls_store *to = store_open(&b->v, NULL);
    size_t taken = 0;
    atls_buf plain = bundle_of(b->from, NULL);
    assert_not_taken(import(to, plain, b->public_pem[0], &taken, err), ATLS_E_INVALID,
                     "store.bundle.unsigned");
    for (size_t i = 0; i < 3; i++) {
        atls_buf bundle = bundle_of(b->from, b->private_pem[i]);
        assert_not_taken(import(to, bundle, b->public_pem[(i + 1) % 3], &taken, err),
                         ATLS_E_INVALID, "store.bundle.key");
        uint8_t *bytes = malloc(bundle.len);
        assert_non_null(bytes);
        memcpy(bytes, bundle.ptr, bundle.len);
        bytes[10] ^= 1; /* when it was made; and the checksum with it */
        const atls_buf summed = {bytes, bundle.len - 32};
        assert_int_equal(atls_digest(ATLS_SHA256, &summed, 1, bytes + summed.len, NULL), ATLS_OK);
        assert_not_taken(import(to, (atls_buf){bytes, bundle.len}, b->public_pem[i], &taken, err),
                         ATLS_E_INVALID, "store.bundle.signature");
        free(bytes);
        bundle_free(bundle);
    }
    bundle_free(plain);
    assert_int_equal(count_of(to), 0);
    atls_store_free(to);
}

static void odd_keys_are_refused(void **state)
{
    const bench *b = *state;
    uint8_t *out = NULL;
    size_t len = 0;
    size_t taken = 0;
    const char *const bad[] = {"", "nonsense", b->public_pem[0]};
    for (size_t i = 0; i < 3; i++) {
        const atls_buf pem = store_text(bad[i]);
        assert_not_taken(atls_store_bundle(b->from, NULL, &pem, NOW, &out, &len, err), ATLS_E_USAGE,
                         "file_key.private");
    }
    atls_buf bundle = bundle_of(b->from, b->private_pem[0]);
    atls_store *to = store_open(&b->v, NULL);
    assert_not_taken(import(to, bundle, b->private_pem[0], &taken, err), ATLS_E_USAGE,
                     "file_key.public");
    atls_store_free(to);
    bundle_free(bundle);
}

/* --- bundles that atls would not make --- */

static atls_buf made_bundle(const atls_item *items, uint32_t n, uint32_t told)
{
    const size_t cap = (size_t)1 << 20;
    uint8_t *space = malloc(cap);
    assert_non_null(space);
    atls_writer w = atls_writer_of(space, cap);
    atls_store_bundle_write_head(&w, NOW, told);
    for (uint32_t i = 0; i < n; i++) {
        atls_store_bundle_write_item(&w, &items[i]);
    }
    assert_int_equal(atls_store_bundle_write_tail(&w, NULL, NULL), ATLS_OK);
    return (atls_buf){space, w.len};
}

static void refused(const bench *b, atls_buf bundle, atls_code code, const char *check)
{
    atls_store *to = store_open(&b->v, NULL);
    size_t taken = 0;
    assert_not_taken(import(to, bundle, NULL, &taken, err), code, check);
    assert_int_equal(count_of(to), 0);
    atls_store_free(to);
    bundle_free(bundle);
}

static void one_item_that_does_not_hold_refuses_all(void **state)
{
    const bench *b = *state;
    made jwks = made_of("jwks/https%3a%2f%2fissuer.example", "", store_text("{\"keys\":[]}"));
    made over = vendor_tcb(&b->v, 2, NOW - 60 * SIM_DAY, 17);
    made ahead = vendor_tcb(&b->v, 2, NOW + SIM_DAY, 17);
    const atls_item with_jwks[] = {b->tcb.item, jwks.item};
    const atls_item with_over[] = {b->tcb.item, over.item};
    const atls_item with_ahead[] = {b->tcb.item, ahead.item};
    const atls_item unordered[] = {b->tcb.item, b->crl.item};
    const atls_item twice[] = {b->tcb.item, b->tcb.item};
    atls_item renamed[] = {b->crl.item, b->tcb.item};
    renamed[1].key = "intel/tcb/tdx/53494d0000aa";
    refused(b, made_bundle(with_jwks, 2, 2), ATLS_E_INVALID, "store.jwks");
    refused(b, made_bundle(with_over, 2, 2), ATLS_E_COLLATERAL, "item.expired");
    refused(b, made_bundle(with_ahead, 2, 2), ATLS_E_COLLATERAL, "item.future");
    refused(b, made_bundle(renamed, 2, 2), ATLS_E_INVALID, "item.name");
    refused(b, made_bundle(twice, 2, 2), ATLS_E_INVALID, "store.bundle.form");
    refused(b, made_bundle(renamed, 2, 3), ATLS_E_INVALID, "store.bundle.form");
    refused(b, made_bundle(renamed, 2, 1), ATLS_E_INVALID, "store.bundle.form");
    refused(b, made_bundle(renamed, 0, ATLS_STORE_BUNDLE_MAX_ITEMS + 1), ATLS_E_INVALID,
            "store.bundle.form");
    refused(b, made_bundle(unordered, 2, 2), ATLS_E_INVALID, "store.bundle.form");
    made_free(&jwks);
    made_free(&over);
    made_free(&ahead);
}

/* Older than what is here: passed over, and the rest is taken. */
static void what_is_older_is_passed_over(void **state)
{
    const bench *b = *state;
    atls_store *to = store_open(&b->v, NULL);
    made newer = vendor_tcb(&b->v, 1, NOW, 18);
    assert_taken(to, &newer, NOW);
    atls_buf bundle = bundle_of(b->from, NULL);
    size_t taken = 0;
    assert_int_equal(import(to, bundle, NULL, &taken, NULL), ATLS_OK);
    assert_int_equal(taken, 1);
    assert_true(holds(to, &newer) && holds(to, &b->crl));
    bundle_free(bundle);
    made_free(&newer);
    atls_store_free(to);
}

static void too_large_a_bundle_is_refused(void **state)
{
    const bench *b = *state;
    atls_store *to = store_open(&b->v, NULL);
    size_t taken = 0;
    static const uint8_t one[1];
    assert_not_taken(import(to, (atls_buf){one, ATLS_STORE_BUNDLE_MAX_LEN + 1}, NULL, &taken, err),
                     ATLS_E_INVALID, "store.bundle.size");
    atls_store_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_brings_all_items),
        cmocka_unit_test(chosen_items_only),
        cmocka_unit_test(a_changed_bundle_is_refused),
        cmocka_unit_test(the_operators_key_is_asked),
        cmocka_unit_test(odd_keys_are_refused),
        cmocka_unit_test(one_item_that_does_not_hold_refuses_all),
        cmocka_unit_test(what_is_older_is_passed_over),
        cmocka_unit_test(too_large_a_bundle_is_refused),
    };
    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
