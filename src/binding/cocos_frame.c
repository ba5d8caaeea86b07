#include "binding/cocos_frame.h"

#include "base/err.h"
#include "base/writer.h"

atls_code atls_cocos_frame_parse(const uint8_t header[ATLS_COCOS_HEADER], uint8_t wanted,
                                 uint32_t *len, atls_err *err)
{
    const uint32_t most =
        wanted == ATLS_COCOS_REQUEST ? ATLS_COCOS_REQUEST_MAX : ATLS_COCOS_AUTHENTICATOR_MAX;
    atls_reader r = atls_reader_of((atls_buf){header, ATLS_COCOS_HEADER});
    const uint8_t type = atls_reader_u8(&r);
    const uint32_t found = atls_reader_u32be(&r);
    if (type != wanted) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.frame.type", "frame type %u, where %u is due",
                        (unsigned)type, (unsigned)wanted);
    }
    if (found == 0 || found > most) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cocos.frame.length",
                        "a frame of type %u with %lu bytes, where 1 to %lu are taken%s",
                        (unsigned)type, (unsigned long)found, (unsigned long)most,
                        found > ATLS_COCOS_FRAME_MAX ? " (the format allows 16 MiB)" : "");
    }
    *len = found;
    return ATLS_OK;
}

void atls_cocos_frame_write(uint8_t type, uint32_t len, uint8_t out[ATLS_COCOS_HEADER])
{
    atls_writer w = atls_writer_of(out, ATLS_COCOS_HEADER);
    atls_writer_u8(&w, type);
    atls_writer_u32be(&w, len);
}
