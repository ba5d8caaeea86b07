#include "attest/qgs_message.h"

#include "base/err.h"

#define HEADER_LEN   16u
#define REQUEST      0u
#define RESPONSE     1u
#define MAJOR        1u
#define NO_SELECTION 0u /* no list of attestation keys to choose from */

void qgs_write_request(atls_writer *w, atls_buf tdreport)
{
    uint32_t size = HEADER_LEN + 8u + QGS_TDREPORT_LEN;
    atls_writer_u32be(w, size);
    atls_writer_u16le(w, MAJOR);
    atls_writer_u16le(w, 0); /* minor */
    atls_writer_u32le(w, REQUEST);
    atls_writer_u32le(w, size);
    atls_writer_u32le(w, 0); /* no error */
    atls_writer_u32le(w, QGS_TDREPORT_LEN);
    atls_writer_u32le(w, NO_SELECTION);
    atls_writer_bytes(w, tdreport);
}

atls_code qgs_read_response(atls_buf message, atls_buf *quote, atls_err *err)
{
    atls_reader r = atls_reader_of(message);
    uint16_t major = atls_reader_u16le(&r);
    (void)atls_reader_u16le(&r); /* minor: 0 and 1 differ in other messages */
    uint32_t type = atls_reader_u32le(&r);
    uint32_t size = atls_reader_u32le(&r);
    uint32_t code = atls_reader_u32le(&r);
    if (!atls_reader_ok(&r) || major != MAJOR || type != RESPONSE || size != message.len) {
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.qgs.response",
            "the quote service answered %zu bytes that are no quote response of version 1",
            message.len);
    }
    if (code != 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.qgs.error",
                        "the quote service says error 0x%x: see its log on the host (qgsd)",
                        (unsigned)code);
    }
    uint32_t id_len = atls_reader_u32le(&r);
    uint32_t quote_len = atls_reader_u32le(&r);
    (void)atls_reader_view(&r, id_len);
    atls_buf found = atls_reader_view(&r, quote_len);
    if (!atls_reader_end(&r) || found.len == 0) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.qgs.response",
                        "sizes in the quote service's response do not add up to its %zu bytes",
                        message.len);
    }
    *quote = found;
    return ATLS_OK;
}
