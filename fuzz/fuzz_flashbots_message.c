/* A stream of frames of flashbots-ratls/1: what is taken is written as the same bytes, and neither a byte less nor one more
 * would do; what is refused has a check id. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/flashbots_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(atls_buf frame, const flashbots_message *m)
{
    uint8_t *again = malloc(FLASHBOTS_FRAME_ROOM(m->attestation.len));
    assert(again != NULL);
    atls_writer w = atls_writer_of(again, FLASHBOTS_FRAME_ROOM(m->attestation.len));
    flashbots_message_write(&w, m->type, m->attestation);
    assert(atls_writer_ok(&w) && w.len == frame.len);
    assert(memcmp(again, frame.ptr, frame.len) == 0);
    free(again);
}

static void judge(atls_buf frame, atls_buf body)
{
    flashbots_message m = {FLASHBOTS_NONE, {NULL, 0}};
    flashbots_message twice = m;
    atls_err err = {0};
    if (flashbots_message_parse(body, &m, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strncmp(err.check, "flashbots.", 10) == 0);
        assert(err.msg[0] != '\0' && m.attestation.ptr == NULL);
        return;
    }
    assert(m.attestation.len < body.len);
    assert(m.attestation.len == 0 || m.attestation.ptr + m.attestation.len == body.ptr + body.len);
    assert((m.type == FLASHBOTS_NONE) <= (m.attestation.len == 0));
    assert(flashbots_message_parse(body, &twice, NULL) == ATLS_OK);
    assert(twice.type == m.type && twice.attestation.ptr == m.attestation.ptr);
    assert(flashbots_message_parse((atls_buf){body.ptr, body.len - 1}, &twice, NULL) != ATLS_OK);
    write_again(frame, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf left = {data, size};
    for (;;) {
        atls_buf body = {NULL, 0};
        atls_err err = {0};
        atls_code rc = flashbots_frame_parse(left, &body, &err);
        if (rc != ATLS_OK) {
            assert(rc == ATLS_WANT_READ || strcmp(err.check, "flashbots.frame") == 0);
            return 0;
        }
        const size_t used = FLASHBOTS_FRAME_HEAD + body.len;
        assert(body.len <= FLASHBOTS_FRAME_MAX && used <= left.len);
        judge((atls_buf){left.ptr, used}, body);
        left.ptr += used;
        left.len -= used;
    }
}
