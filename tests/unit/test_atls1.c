/* What atls/1 adds to exported authenticators: contexts, report data, batches, frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/writer.h"
#include "binding/atls1.h"

/* SHA-2 over bytes that the test puts together by itself. */
static void hash_of(atls_hash hash, const atls_writer *w, uint8_t *out)
{
    assert_true(atls_writer_ok(w));
    const atls_buf piece = atls_writer_done(w);
    assert_int_equal(atls_digest(hash, &piece, 1, out, NULL), ATLS_OK);
}

static void a_context_is_role_round_and_random(void **state)
{
    (void)state;
    uint8_t random[27];
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)(0x80 + i);
    }
    uint8_t out[ATLS1_CONTEXT_LEN];
    atls1_context(1, 0x01020304, random, out);
    static const uint8_t head[] = {1, 1, 2, 3, 4};
    assert_memory_equal(out, head, sizeof head);
    assert_memory_equal(out + sizeof head, random, sizeof random);
    atls1_context(0, 0, random, out);
    static const uint8_t first[] = {0, 0, 0, 0, 0};
    assert_memory_equal(out, first, sizeof first);
}

static void report_data_covers_label_role_and_binder(void **state)
{
    (void)state;
    uint8_t binder[48];
    memset(binder, 0xb1, sizeof binder);
    uint8_t seen[4][64];
    size_t n = 0;
    for (uint8_t role = 0; role < 2; role++) {
        for (size_t len = 32; len <= 48; len += 16) {
            uint8_t space[128];
            uint8_t want[64];
            atls_writer w = atls_writer_of(space, sizeof space);
            atls_writer_text(&w, "atls/1 report data");
            atls_writer_u8(&w, 0);
            atls_writer_u8(&w, role);
            atls_writer_bytes(&w, (atls_buf){binder, len});
            hash_of(ATLS_SHA512, &w, want);
            assert_int_equal(atls1_report_data(role, (atls_buf){binder, len}, seen[n], NULL),
                             ATLS_OK);
            assert_memory_equal(seen[n], want, 64);
            for (size_t i = 0; i < n; i++) {
                assert_memory_not_equal(seen[i], seen[n], 64);
            }
            n++;
        }
    }
}

static void inputs_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    uint8_t binder[64] = {0};
    uint8_t out[64];
    atls_err err = {0};
    static const size_t lengths[] = {0, 31, 33, 47, 49, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const atls_buf b = {binder, lengths[i]};
        assert_int_equal(atls1_report_data(0, b, out, &err), ATLS_E_USAGE);
        assert_string_equal(err.check, "report_data.input");
        assert_int_equal(atls1_leaf(1, b, out, &err), ATLS_E_USAGE);
    }
    assert_int_equal(atls1_report_data(2, (atls_buf){binder, 32}, out, &err), ATLS_E_USAGE);
    assert_int_equal(atls1_leaf(255, (atls_buf){binder, 32}, out, &err), ATLS_E_USAGE);
}

/* --- batches --- */

static void make_leaves(uint8_t (*leaves)[32], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t binder[32] = {0};
        binder[0] = (uint8_t)(i % 256);
        binder[1] = (uint8_t)(i / 256);
        assert_int_equal(atls1_leaf((uint8_t)(i % 2), (atls_buf){binder, 32}, leaves[i], NULL),
                         ATLS_OK);
    }
}

/* The tree as RFC 9162, 2.1.1 defines it: split at the largest power of two below n. */
static void reference_root(uint8_t (*leaves)[32], uint32_t n, uint8_t out[32])
{
    if (n == 1) {
        memcpy(out, leaves[0], 32);
        return;
    }
    uint32_t k = 1;
    while (2 * k < n) {
        k *= 2;
    }
    uint8_t space[65] = {0x01};
    reference_root(leaves, k, space + 1);
    reference_root(leaves + k, n - k, space + 33);
    const atls_buf piece = {space, sizeof space};
    assert_int_equal(atls_digest(ATLS_SHA256, &piece, 1, out, NULL), ATLS_OK);
}

static void a_leaf_is_hashed_with_its_role(void **state)
{
    (void)state;
    uint8_t binder[48];
    memset(binder, 7, sizeof binder);
    for (uint8_t role = 0; role < 2; role++) {
        uint8_t space[64], want[32], leaf[32];
        atls_writer w = atls_writer_of(space, sizeof space);
        atls_writer_u8(&w, 0);
        atls_writer_u8(&w, role);
        atls_writer_bytes(&w, (atls_buf){binder, 48});
        hash_of(ATLS_SHA256, &w, want);
        assert_int_equal(atls1_leaf(role, (atls_buf){binder, 48}, leaf, NULL), ATLS_OK);
        assert_memory_equal(leaf, want, 32);
    }
}

static void every_leaf_of_every_size_reaches_the_root(void **state)
{
    (void)state;
    uint8_t leaves[20][32];
    make_leaves(leaves, 20);
    for (uint32_t size = 1; size <= 20; size++) {
        uint8_t want[32];
        reference_root(leaves, size, want);
        atls1_tree *tree = NULL;
        assert_int_equal(atls1_tree_new((const uint8_t(*)[32])leaves, size, &tree, NULL), ATLS_OK);
        assert_memory_equal(atls1_tree_get0_root(tree), want, 32);
        for (uint32_t index = 0; index < size; index++) {
            uint8_t path[ATLS1_PATH_MAX + 32] = {0};
            uint8_t root[32];
            atls_err err = {0};
            const size_t len = atls1_tree_path(tree, index, path);
            assert_int_equal(
                atls1_root(leaves[index], index, size, (atls_buf){path, len}, root, &err), ATLS_OK);
            assert_memory_equal(root, want, 32);
            /* No other length is taken. */
            for (size_t other = 0; other <= len + 32; other++) {
                if (other != len) {
                    memset(root, 0x5a, sizeof root);
                    assert_int_equal(
                        atls1_root(leaves[index], index, size, (atls_buf){path, other}, root, &err),
                        ATLS_E_INVALID);
                    assert_string_equal(err.check, "batch.path");
                    assert_int_equal(root[0], 0x5a);
                }
            }
            /* No other leaf, place or path gives this root. */
            for (uint32_t wrong = 0; wrong < size; wrong++) {
                if (wrong != index && atls1_root(leaves[wrong], index, size, (atls_buf){path, len},
                                                 root, &err) == ATLS_OK) {
                    assert_memory_not_equal(root, want, 32);
                }
                if (wrong != index && atls1_root(leaves[index], wrong, size, (atls_buf){path, len},
                                                 root, &err) == ATLS_OK) {
                    assert_memory_not_equal(root, want, 32);
                }
            }
            for (size_t at = 0; at < len; at++) {
                path[at] ^= 1;
                assert_int_equal(
                    atls1_root(leaves[index], index, size, (atls_buf){path, len}, root, &err),
                    ATLS_OK);
                assert_memory_not_equal(root, want, 32);
                path[at] ^= 1;
            }
        }
        atls1_tree_free(tree);
    }
}

static void the_largest_batch_works_and_a_larger_one_does_not(void **state)
{
    (void)state;
    uint8_t(*leaves)[32] = calloc(ATLS1_BATCH_MAX + 1, sizeof *leaves);
    make_leaves(leaves, ATLS1_BATCH_MAX);
    atls1_tree *tree = NULL;
    atls_err err = {0};
    static const uint32_t sizes[] = {ATLS1_BATCH_MAX, ATLS1_BATCH_MAX - 1, 32769};
    for (size_t i = 0; i < 3; i++) {
        const uint32_t size = sizes[i];
        assert_int_equal(atls1_tree_new((const uint8_t(*)[32])leaves, size, &tree, NULL), ATLS_OK);
        uint8_t path[ATLS1_PATH_MAX], root[32];
        const uint32_t indices[] = {0, 1, size / 2, size - 1};
        for (size_t k = 0; k < 4; k++) {
            const size_t len = atls1_tree_path(tree, indices[k], path);
            assert_true(len <= ATLS1_PATH_MAX);
            assert_int_equal(
                atls1_root(leaves[indices[k]], indices[k], size, (atls_buf){path, len}, root, &err),
                ATLS_OK);
            assert_memory_equal(root, atls1_tree_get0_root(tree), 32);
        }
        atls1_tree_free(tree);
        tree = NULL;
    }
    uint8_t out[64];
    static const uint32_t wrong[] = {0, ATLS1_BATCH_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        err = (atls_err){0};
        assert_int_equal(atls1_tree_new((const uint8_t(*)[32])leaves, wrong[i], &tree, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "batch.size");
        err = (atls_err){0};
        assert_int_equal(atls1_root(leaves[0], 0, wrong[i], (atls_buf){NULL, 0}, out, &err),
                         ATLS_E_INVALID);
        assert_string_equal(err.check, "batch.size");
        err = (atls_err){0};
        assert_int_equal(atls1_batch_report_data(wrong[i], leaves[0], out, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, "batch.size");
    }
    assert_null(tree);
    free(leaves);
}

static void an_index_behind_the_batch_is_refused(void **state)
{
    (void)state;
    uint8_t leaf[32] = {0}, path[ATLS1_PATH_MAX] = {0}, out[32];
    static const struct {
        uint32_t index, size;
    } cases[] = {{1, 1}, {3, 3}, {65536, 65536}, {UINT32_MAX, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t len = 0; len <= sizeof path; len += 32) {
            atls_err err = {0};
            assert_int_equal(
                atls1_root(leaf, cases[i].index, cases[i].size, (atls_buf){path, len}, out, &err),
                ATLS_E_INVALID);
            assert_string_equal(err.check, "batch.index");
        }
    }
}

static void the_report_data_of_a_batch_covers_its_size(void **state)
{
    (void)state;
    uint8_t root[32], space[64], want[64], out[64];
    memset(root, 0x77, sizeof root);
    atls_writer w = atls_writer_of(space, sizeof space);
    atls_writer_text(&w, "atls/1 batch");
    atls_writer_u8(&w, 0);
    atls_writer_u32be(&w, 65536);
    atls_writer_bytes(&w, (atls_buf){root, 32});
    hash_of(ATLS_SHA512, &w, want);
    assert_int_equal(atls1_batch_report_data(65536, root, out, NULL), ATLS_OK);
    assert_memory_equal(out, want, 64);
    assert_int_equal(atls1_batch_report_data(65535, root, out, NULL), ATLS_OK);
    assert_memory_not_equal(out, want, 64);
}

/* --- frames --- */

static void each_frame_has_its_limits(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        uint32_t len;
        const char *check; /* NULL: taken */
    } cases[] = {
        {ATLS1_FRAME_REQUEST, 1, NULL},
        {ATLS1_FRAME_REQUEST, 4096, NULL},
        {ATLS1_FRAME_REQUEST, 4097, "frame.length"},
        {ATLS1_FRAME_REQUEST, 0, "frame.length"},
        {ATLS1_FRAME_AUTHENTICATOR, 1, NULL},
        {ATLS1_FRAME_AUTHENTICATOR, 131072, NULL},
        {ATLS1_FRAME_AUTHENTICATOR, 131073, "frame.length"},
        {ATLS1_FRAME_AUTHENTICATOR, 16777217, "frame.length"},
        {ATLS1_FRAME_AUTHENTICATOR, 0, "frame.length"},
        {ATLS1_FRAME_VERDICT, 0, "frame.length"},
        {ATLS1_FRAME_VERDICT, 1, NULL},
        {ATLS1_FRAME_VERDICT, 2, "frame.length"},
        {ATLS1_FRAME_VERDICT, 32, "frame.length"},
        {ATLS1_FRAME_VERDICT, 33, NULL},
        {ATLS1_FRAME_VERDICT, 34, "frame.length"},
        {ATLS1_FRAME_DATA, 0, "frame.length"},
        {ATLS1_FRAME_DATA, 1, NULL},
        {ATLS1_FRAME_DATA, 16379, NULL},
        {ATLS1_FRAME_DATA, 16380, "frame.length"},
        {ATLS1_FRAME_CLOSE, 0, NULL},
        {ATLS1_FRAME_CLOSE, 1, "frame.length"},
        {ATLS1_FRAME_ATTACHMENT, 0, "frame.length"},
        {ATLS1_FRAME_ATTACHMENT, 1, NULL},
        {ATLS1_FRAME_ATTACHMENT, 524288, NULL},
        {ATLS1_FRAME_ATTACHMENT, 524289, "frame.length"},
        {0, 0, "frame.type"},
        {0, 1, "frame.type"},
        {7, 0, "frame.type"},
        {7, 1, "frame.type"},
        {255, UINT32_MAX, "frame.type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t header[ATLS1_FRAME_HEADER];
        uint8_t type = 99;
        uint32_t len = 99;
        atls_err err = {0};
        atls1_frame_header_write(cases[i].type, cases[i].len, header);
        atls_code rc = atls1_frame_header_parse(header, &type, &len, &err);
        if (cases[i].check == NULL) {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(type, cases[i].type);
            assert_int_equal(len, cases[i].len);
        } else {
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, cases[i].check);
            assert_int_equal(type, 99);
            assert_int_equal(len, 99);
        }
    }
}

static void four_gibibytes_are_too_long_for_every_type(void **state)
{
    (void)state;
    for (unsigned t = 0; t < 256; t++) {
        uint8_t header[ATLS1_FRAME_HEADER] = {(uint8_t)t, 0xff, 0xff, 0xff, 0xff};
        uint8_t type;
        uint32_t len;
        atls_err err = {0};
        assert_int_equal(atls1_frame_header_parse(header, &type, &len, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, t >= 1 && t <= 6 ? "frame.length" : "frame.type");
        if (t < 1 || t > 6) {
            assert_int_equal(atls1_frame_limit((uint8_t)t), 0);
        }
    }
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_REQUEST), 4096);
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_AUTHENTICATOR), 131072);
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_VERDICT), 33);
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_DATA), 16379);
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_CLOSE), 0);
    assert_int_equal(atls1_frame_limit(ATLS1_FRAME_ATTACHMENT), 524288);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_is_role_round_and_random),
        cmocka_unit_test(report_data_covers_label_role_and_binder),
        cmocka_unit_test(inputs_that_do_not_exist_are_refused),
        cmocka_unit_test(a_leaf_is_hashed_with_its_role),
        cmocka_unit_test(every_leaf_of_every_size_reaches_the_root),
        cmocka_unit_test(the_largest_batch_works_and_a_larger_one_does_not),
        cmocka_unit_test(an_index_behind_the_batch_is_refused),
        cmocka_unit_test(the_report_data_of_a_batch_covers_its_size),
        cmocka_unit_test(each_frame_has_its_limits),
        cmocka_unit_test(four_gibibytes_are_too_long_for_every_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
