/* Authenticator requests: our own bytes, and all that may be wrong in a peer's. */
#include "unit/ea_rig.h"

/* --- requests --- */

static void our_request_is_these_bytes(void **state)
{
    (void)state;
    static const uint8_t context[16] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                        0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
    uint8_t space[300];
    atls_buf raw;
    assert_int_equal(atls_ea_request_build(ATLS_EA_SERVER, (atls_buf){context, 16}, true, 0xff00,
                                           space, sizeof space, &raw, NULL),
                     ATLS_OK);
    assert_hex(
        raw.ptr, raw.len,
        "1100002510a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0012000d000a00080403050308070804ff000000");
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 16}, false, 0xff00,
                                           space, sizeof space, &raw, NULL),
                     ATLS_OK);
    assert_hex(raw.ptr, raw.len,
               "0d00002110a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000e000d000a00080403050308070804");
    atls_err err = {0};
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 16}, false, 0xff00,
                                           space, raw.len - 1, &raw, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "request.space");
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){context, 15}, false, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "request.context");
    uint8_t longest[256] = {0};
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){longest, 256}, false, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_E_USAGE);
    assert_int_equal(atls_ea_request_build(ATLS_EA_CLIENT, (atls_buf){longest, 255}, true, 0xff00,
                                           space, sizeof space, &raw, &err),
                     ATLS_OK);
    atls_ea_request q;
    assert_int_equal(atls_ea_request_parse(raw, ATLS_EA_CLIENT, 0xff00, &q, &err), ATLS_OK);
    assert_int_equal(q.context.len, 255);
}

#define CONTEXT "10a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static void what_stands_in_a_request_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
        atls_ea_sender answered_by;
        const char *check; /* NULL: taken */
    } cases[] = {
        {"good", "11000021" CONTEXT "000e000d0006000404030807ff000000", ATLS_EA_SERVER, NULL},
        {"good, of a server", "0d000021" CONTEXT "000e000d0006000404030807ff000000", ATLS_EA_CLIENT,
         NULL},
        {"type 13 to a server", "0d000021" CONTEXT "000e000d0006000404030807ff000000",
         ATLS_EA_SERVER, "request.type"},
        {"type 17 to a client", "11000021" CONTEXT "000e000d0006000404030807ff000000",
         ATLS_EA_CLIENT, "request.type"},
        {"a trailing byte", "11000021" CONTEXT "000e000d0006000404030807ff00000000", ATLS_EA_SERVER,
         "request.malformed"},
        {"a trailing byte inside", "11000022" CONTEXT "000e000d0006000404030807ff00000000",
         ATLS_EA_SERVER, "request.malformed"},
        {"extensions one short", "11000021" CONTEXT "000d000d0006000404030807ff000000",
         ATLS_EA_SERVER, "request.malformed"},
        {"extension longer than the block", "11000021" CONTEXT "000e000d0006000404030807ff000001",
         ATLS_EA_SERVER, "request.malformed"},
        {"context of 15 bytes",
         "110000200fa0a1a2a3a4a5a6a7a8a9aaabacadae000e000d0006000404030807ff000000", ATLS_EA_SERVER,
         "request.context"},
        {"no context", "1100001100000e000d0006000404030807ff000000", ATLS_EA_SERVER,
         "request.context"},
        {"no signature_algorithms", "11000017" CONTEXT "0004ff000000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"no extension at all", "11000013" CONTEXT "0000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"an empty list", "11000019" CONTEXT "0006000d00020000", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"an odd list", "1100001c" CONTEXT "0009000d00050003040308", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"a list longer than its extension", "1100001b" CONTEXT "0008000d000400040403",
         ATLS_EA_SERVER, "request.signature_algorithms"},
        {"a list shorter than its extension", "1100001d" CONTEXT "000a000d0006000204030807",
         ATLS_EA_SERVER, "request.signature_algorithms"},
        {"no scheme we know", "1100001b" CONTEXT "0008000d000400020401", ATLS_EA_SERVER,
         "request.signature_algorithms"},
        {"signature_algorithms twice", "11000023" CONTEXT "0010000d000400020403000d000400020403",
         ATLS_EA_SERVER, "request.extension"},
        {"cmw twice", "11000023" CONTEXT "0010000d000400020403ff000000ff000000", ATLS_EA_SERVER,
         "request.extension"},
        {"an unknown one twice", "11000023" CONTEXT "0010000d0004000204030a0a00000a0a0000",
         ATLS_EA_SERVER, "request.extension"},
        {"server_name to a client", "0d00001f" CONTEXT "000c000d00040002040300000000",
         ATLS_EA_CLIENT, "request.extension"},
        {"server_name to a server", "1100001f" CONTEXT "000c000d00040002040300000000",
         ATLS_EA_SERVER, NULL},
        {"cmw with a byte", "11000020" CONTEXT "000d000d000400020403ff00000100", ATLS_EA_SERVER,
         "request.cmw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t space[SPACE];
        atls_ea_request q;
        atls_err err = {0};
        atls_code rc = atls_ea_request_parse(unhex(cases[i].hex, space), cases[i].answered_by,
                                             0xff00, &q, &err);
        const char *check = rc == ATLS_OK ? NULL : err.check;
        if ((check == NULL) != (cases[i].check == NULL) ||
            (check != NULL && strcmp(check, cases[i].check) != 0)) {
            fail_msg("%s: %s", cases[i].what, check == NULL ? "taken" : check);
        }
    }
}

static void a_request_of_many_extensions_or_schemes_is_bounded(void **state)
{
    (void)state;
    for (unsigned n = 62; n <= 64; n++) {
        uint8_t space[SPACE];
        atls_writer w = atls_writer_of(space, sizeof space);
        const size_t extensions = n * 4u + 4 + 2 + 80;
        atls_writer_u8(&w, 17);
        atls_writer_u24be(&w, (uint32_t)(1 + 16 + 2 + extensions));
        atls_writer_u8(&w, 16);
        atls_writer_zeros(&w, 16);
        atls_writer_u16be(&w, (uint16_t)extensions);
        atls_writer_u16be(&w, 13);
        atls_writer_u16be(&w, 82);
        atls_writer_u16be(&w, 80);
        for (size_t i = 0; i < 20; i++) { /* the same two, over and over */
            atls_writer_u16be(&w, 0x0807);
            atls_writer_u16be(&w, 0x0403);
        }
        for (unsigned i = 0; i < n; i++) {
            atls_writer_u16be(&w, (uint16_t)(1000 + i));
            atls_writer_u16be(&w, 0);
        }
        atls_ea_request q;
        atls_err err = {0};
        atls_code rc =
            atls_ea_request_parse(atls_writer_done(&w), ATLS_EA_SERVER, 0xff00, &q, &err);
        if (n == 64) { /* with signature_algorithms 65 */
            assert_int_equal(rc, ATLS_E_INVALID);
            assert_string_equal(err.check, "request.extension");
        } else {
            assert_int_equal(rc, ATLS_OK);
            assert_int_equal(q.schemes_n, 2);
            assert_int_equal(q.schemes[0], 0x0807);
            assert_false(q.wants_cmw);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_request_is_these_bytes),
        cmocka_unit_test(what_stands_in_a_request_is_checked),
        cmocka_unit_test(a_request_of_many_extensions_or_schemes_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
