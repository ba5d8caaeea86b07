/* What is taken of early attestation's extension is written as the same bytes: an offer scheme by scheme, a choice, a CMW. A
 * list has each of its own schemes. A refusal has the check id of its message. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "binding/seat_schemes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_list(atls_writer *w, atls_buf list)
{
    atls_reader r = atls_reader_of(list);
    atls_seat_scheme scheme;
    atls_writer_u16be(w, (uint16_t)list.len);
    for (unsigned n = 0; !atls_reader_end(&r); n++) {
        assert(atls_seat_scheme_next(&r, &scheme));
        assert(n > 16 || atls_seat_list_has(list, &scheme)); /* a walk each */
        atls_seat_scheme_write(w, &scheme);
    }
}

static void judge_offer(const uint8_t *data, size_t size, uint8_t *space)
{
    atls_seat_offer offer;
    atls_err err = {0};
    if (atls_seat_offer_parse((atls_buf){data, size}, &offer, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "seat_early.schemes") == 0);
        return;
    }
    atls_writer w = atls_writer_of(space, size);
    write_list(&w, offer.server);
    write_list(&w, offer.client);
    assert(atls_writer_done(&w).len == size && memcmp(space, data, size) == 0);
}

static void judge_choice(const uint8_t *data, size_t size, uint8_t *space)
{
    atls_seat_scheme scheme;
    atls_err err = {0};
    if (atls_seat_choice_parse((atls_buf){data, size}, &scheme, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "seat_early.choice") == 0);
        return;
    }
    atls_writer w = atls_writer_of(space, size);
    atls_seat_scheme_write(&w, &scheme);
    assert(atls_writer_done(&w).len == size && memcmp(space, data, size) == 0);
    assert(atls_seat_scheme_equal(&scheme, &scheme));
}

static void judge_evidence(const uint8_t *data, size_t size)
{
    atls_buf cmw;
    atls_err err = {0};
    if (atls_seat_evidence_parse((atls_buf){data, size}, &cmw, &err) != ATLS_OK) {
        assert(err.code == ATLS_E_INVALID && strcmp(err.check, "seat_early.evidence") == 0);
        return;
    }
    assert(cmw.ptr == data + 3 && cmw.len == size - 3 && cmw.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *space = malloc(size > 0 ? size : 1);
    if (space != NULL) {
        judge_offer(data, size, space);
        judge_choice(data, size, space);
    }
    judge_evidence(data, size);
    free(space);
    return 0;
}
