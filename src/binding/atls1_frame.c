/* Frames of atls/1: u8 type, u32be length, payload. */
#include "binding/atls1.h"

#include "base/err.h"
#include "base/reader.h"
#include "base/writer.h"

static const struct {
    uint32_t min, max; /* bytes of payload */
} frames[] = {
    [ATLS1_FRAME_REQUEST] = {1, ATLS_EA_REQUEST_MAX},
    [ATLS1_FRAME_AUTHENTICATOR] = {1, ATLS_EA_MAX},
    [ATLS1_FRAME_VERDICT] = {1, 1 + ATLS1_CONTEXT_LEN}, /* one of the two, nothing between */
    [ATLS1_FRAME_DATA] = {1, ATLS1_DATA_MAX},
    [ATLS1_FRAME_CLOSE] = {0, 0},
    [ATLS1_FRAME_ATTACHMENT] = {1, ATLS1_ATTACHMENT_MAX},
};

static bool is_known(uint8_t type)
{
    return type >= ATLS1_FRAME_REQUEST && type <= ATLS1_FRAME_ATTACHMENT;
}

uint32_t atls1_frame_limit(uint8_t type)
{
    return is_known(type) ? frames[type].max : 0;
}

atls_code atls1_frame_header_parse(const uint8_t header[ATLS1_FRAME_HEADER], uint8_t *type,
                                   uint32_t *len, atls_err *err)
{
    atls_reader r = atls_reader_of((atls_buf){header, ATLS1_FRAME_HEADER});
    const uint8_t found = atls_reader_u8(&r);
    const uint32_t size = atls_reader_u32be(&r);
    if (!is_known(found)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "frame.type", "frame type %u, where 1 to 6 are known",
                        (unsigned)found);
    }
    bool ok = size >= frames[found].min && size <= frames[found].max;
    if (found == ATLS1_FRAME_VERDICT) {
        ok = size == frames[found].min || size == frames[found].max;
    }
    if (!ok) {
        return ATLS_ERR(err, ATLS_E_INVALID, "frame.length",
                        "a frame of type %u with %lu bytes, where %lu to %lu are allowed",
                        (unsigned)found, (unsigned long)size, (unsigned long)frames[found].min,
                        (unsigned long)frames[found].max);
    }
    *type = found;
    *len = size;
    return ATLS_OK;
}

void atls1_frame_header_write(uint8_t type, uint32_t len, uint8_t out[ATLS1_FRAME_HEADER])
{
    atls_writer w = atls_writer_of(out, ATLS1_FRAME_HEADER);
    atls_writer_u8(&w, type);
    atls_writer_u32be(&w, len);
}
