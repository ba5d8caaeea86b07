/* TDX quotes in the messages of go-tdx-guest: there and back, and each thing wrong alone. */
#include "unit/simulated.h"

#include <stdlib.h>

#include "binding/protobuf.h"
#include "binding/tdx_quote_message.h"

static atls_sim *sim;
static uint8_t *quote;
static size_t quote_len;
static uint8_t message[32768];
static size_t message_len;

static int open_all(void **state)
{
    (void)state;
    atls_sim_quote q = {.type = "tdx"};
    for (size_t i = 0; i < sizeof q.report_data; i++) {
        q.report_data[i] = (uint8_t)(i + 1);
    }
    assert_int_equal(atls_sim_new(NOW, NULL, &sim, NULL), ATLS_OK);
    assert_int_equal(atls_sim_make_quote(sim, &q, &quote, &quote_len, NULL), ATLS_OK);
    atls_writer w = atls_writer_of(message, sizeof message);
    assert_int_equal(atls_tdx_quote_message_write((atls_buf){quote, quote_len}, &w, NULL), ATLS_OK);
    message_len = atls_writer_done(&w).len;
    assert_true(message_len <= quote_len + ATLS_TDX_QUOTE_MESSAGE_MORE);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    atls_free(quote);
    atls_sim_free(sim);
    return 0;
}

static atls_code parse(atls_buf bytes, uint8_t *out, size_t *len, atls_err *err)
{
    atls_writer w = atls_writer_of(out, bytes.len + ATLS_TDX_QUOTE_MORE);
    const atls_code rc = atls_tdx_quote_message_parse(bytes, &w, err);
    *len = atls_writer_done(&w).len;
    return rc;
}

static void there_and_back(void **state)
{
    (void)state;
    uint8_t *again = malloc(message_len + ATLS_TDX_QUOTE_MORE);
    size_t len = 0;
    assert_int_equal(parse((atls_buf){message, message_len}, again, &len, NULL), ATLS_OK);
    assert_int_equal(len, quote_len);
    assert_memory_equal(again, quote, len);
    free(again);
}

/* Field for field where go-tdx-guest has them: header first, its numbers as varints. */
static void as_go_writes_it(void **state)
{
    (void)state;
    static const uint8_t header[] = {0x08, 4, 0x10, 2, 0x18, 0x81, 0x01, 0x22, 2};
    atls_reader r = atls_reader_of((atls_buf){message, message_len});
    atls_protobuf_field f;
    assert_true(atls_protobuf_next(&r, &f));
    assert_int_equal(f.number, 1);
    assert_memory_equal(f.bytes.ptr, header, sizeof header);
    assert_true(atls_protobuf_next(&r, &f));
    assert_int_equal(f.number, 2);
    assert_true(f.bytes.len > 584);
    assert_true(atls_protobuf_next(&r, &f));
    assert_int_equal(f.number, 3);
    assert_int_equal(f.value,
                     quote[632] + quote[633] * 256u + quote[634] * 65536u + quote[635] * 16777216u);
}

static void truncations(void **state)
{
    (void)state;
    uint8_t *again = malloc(message_len + ATLS_TDX_QUOTE_MORE);
    for (size_t cut = 0; cut < message_len; cut++) {
        atls_err err = {0};
        size_t len = 0;
        if (parse((atls_buf){message, cut}, again, &len, &err) == ATLS_OK) {
            fail_msg("%zu bytes of %zu are taken", cut, message_len);
        }
        assert_true(strcmp(err.check, "tdx_message.malformed") == 0 ||
                    strcmp(err.check, "tdx_message.missing") == 0);
    }
    free(again);
}

static void each_thing_wrong_alone(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* behind the message */
        size_t len;
        const char *check; /* NULL: taken */
    } rows[] = {
        {"\x08\x01", 2, "tdx_message.twice"}, /* a header that is a number */
        {"\x0a\x00", 2, "tdx_message.twice"}, /* an empty header */
        {"\x18\x01", 2, "tdx_message.twice"}, /* the size again */
        {"\x28\x01", 2, "tdx_message.field"}, /* extra bytes that are a number */
        {"\x2a\x01\x00\x2a\x01\x00", 6, "tdx_message.twice"},
        {"\x2a\x02\x00", 3, "tdx_message.malformed"},
        {"\x2b", 1, "tdx_message.malformed"}, /* a group */
        {"\x32\x01\x00", 3, NULL},            /* a field that nobody knows */
        {"\x2a\x01\x00", 3, NULL},            /* a byte behind the quote */
    };
    uint8_t *again = malloc(sizeof message + ATLS_TDX_QUOTE_MORE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_err err = {0};
        size_t len = 0;
        memcpy(message + message_len, rows[i].bytes, rows[i].len);
        const atls_code rc =
            parse((atls_buf){message, message_len + rows[i].len}, again, &len, &err);
        assert_int_equal(rc, rows[i].check == NULL ? ATLS_OK : ATLS_E_INVALID);
        if (rows[i].check != NULL) {
            assert_string_equal(err.check, rows[i].check);
        }
    }
    free(again);
}

/* Inside: a version that fits no 16 bits, five RTMRs, a measurement of another length. */
static void inner_fields(void **state)
{
    (void)state;
    static const struct {
        uint8_t outer;
        const char *bytes;
        size_t len;
        const char *check;
    } rows[] = {
        {1, "\x08\x80\x80\x04", 4, "tdx_message.field"}, {1, "\x0a\x00", 2, "tdx_message.field"},
        {1, "\x22\x01\x00", 3, "tdx_message.field"},     {2, "\x0a\x00", 2, "tdx_message.field"},
        {2, "\x5a\x2f\x00", 3, "tdx_message.malformed"}, {1, "\x08\x04", 2, "tdx_message.missing"},
        {4, "\x18\x01", 2, "tdx_message.field"},
    };
    uint8_t out[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64];
        atls_err err = {0};
        size_t len = 0;
        atls_writer w = atls_writer_of(bytes, sizeof bytes);
        atls_protobuf_write_bytes(&w, rows[i].outer,
                                  (atls_buf){(const uint8_t *)rows[i].bytes, rows[i].len});
        assert_int_equal(parse(atls_writer_done(&w), out, &len, &err), ATLS_E_INVALID);
        assert_string_equal(err.check, rows[i].check);
    }
}

static void quotes_that_do_not_fit(void **state)
{
    (void)state;
    uint8_t space[4096];
    atls_err err = {0};
    uint8_t *copy = malloc(quote_len);
    memcpy(copy, quote, quote_len);
    copy[0] = 5;
    atls_writer w = atls_writer_of(space, sizeof space);
    assert_int_equal(atls_tdx_quote_message_write((atls_buf){copy, quote_len}, &w, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "tdx_message.quote");
    w = atls_writer_of(space, sizeof space);
    assert_int_equal(atls_tdx_quote_message_write((atls_buf){quote, 1300}, &w, &err), ATLS_E_USAGE);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back), cmocka_unit_test(as_go_writes_it),
        cmocka_unit_test(truncations),    cmocka_unit_test(each_thing_wrong_alone),
        cmocka_unit_test(inner_fields),   cmocka_unit_test(quotes_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
