#include "binding/flashbots_message.h"

#include "base/err.h"
#include "codec/scale.h"

static const uint8_t none[] = "none";
static const uint8_t dcap_tdx[] = "dcap-tdx";
static const uint8_t gcp_tdx[] = "gcp-tdx";
static const uint8_t qemu_tdx[] = "qemu-tdx";
static const uint8_t azure_tdx[] = "azure-tdx";

atls_buf flashbots_type_text(flashbots_type type)
{
    switch (type) {
    case FLASHBOTS_DCAP_TDX:
        return (atls_buf){dcap_tdx, sizeof dcap_tdx - 1};
    case FLASHBOTS_GCP_TDX:
        return (atls_buf){gcp_tdx, sizeof gcp_tdx - 1};
    case FLASHBOTS_QEMU_TDX:
        return (atls_buf){qemu_tdx, sizeof qemu_tdx - 1};
    case FLASHBOTS_AZURE_TDX:
        return (atls_buf){azure_tdx, sizeof azure_tdx - 1};
    default:
        return (atls_buf){none, sizeof none - 1};
    }
}

/*@ requires valid_buf(a) && valid_buf(b);
    assigns \nothing; */
static bool same(atls_buf a, atls_buf b)
{
    if (a.len != b.len) {
        return false;
    }
    /*@ loop invariant 0 <= i <= a.len;
        loop assigns i;
        loop variant a.len - i; */
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return false;
        }
    }
    return true;
}

bool flashbots_type_of(atls_buf text, flashbots_type *out)
{
    /*@ loop invariant FLASHBOTS_NONE <= i <= FLASHBOTS_AZURE_TDX + 1;
        loop assigns i;
        loop variant FLASHBOTS_AZURE_TDX + 1 - i; */
    for (unsigned i = FLASHBOTS_NONE; i <= FLASHBOTS_AZURE_TDX; i++) {
        if (same(text, flashbots_type_text((flashbots_type)i))) {
            *out = (flashbots_type)i;
            return true;
        }
    }
    return false;
}

atls_code flashbots_frame_parse(atls_buf bytes, atls_buf *body, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    const uint32_t len = atls_reader_u32be(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_WANT_READ;
    }
    if (len > FLASHBOTS_FRAME_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.frame",
                        "a frame of %lu bytes, where at most %u are allowed", (unsigned long)len,
                        FLASHBOTS_FRAME_MAX);
    }
    const atls_buf content = atls_reader_view(&r, len);
    if (!atls_reader_ok(&r)) {
        return ATLS_WANT_READ;
    }
    *body = content;
    return ATLS_OK;
}

atls_code flashbots_message_parse(atls_buf body, flashbots_message *out, atls_err *err)
{
    flashbots_message m = {FLASHBOTS_NONE, {NULL, 0}};
    atls_reader r = atls_reader_of(body);
    const atls_buf type = atls_scale_bytes(&r);
    m.attestation = atls_scale_bytes(&r);
    if (!atls_reader_ok(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.message",
                        "%zu bytes that are not a type and its evidence", body.len);
    }
    if (!flashbots_type_of(type, &m.type)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.type",
                        "a type of evidence of %zu bytes that nobody here knows", type.len);
    }
    if (!atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.trailing",
                        "%zu bytes behind the evidence, where a frame ends with it", r.left);
    }
    if (m.type == FLASHBOTS_NONE && m.attestation.len > 0) {
        return ATLS_ERR(err, ATLS_E_INVALID, "flashbots.none",
                        "type \"none\" with %zu bytes of evidence", m.attestation.len);
    }
    *out = m;
    return ATLS_OK;
}

void flashbots_message_write(atls_writer *w, flashbots_type type, atls_buf attestation)
{
    const atls_buf text = flashbots_type_text(type);
    uint8_t head[5];
    atls_writer length = atls_writer_of(head, sizeof head);
    atls_scale_write_compact(&length, attestation.len);
    if (!atls_writer_ok(&length) || attestation.len > FLASHBOTS_FRAME_MAX - 1u - text.len ||
        1u + text.len + length.len > FLASHBOTS_FRAME_MAX - attestation.len) {
        w->failed = true;
        return;
    }
    atls_writer_u32be(w, (uint32_t)(1u + text.len + length.len + attestation.len));
    atls_scale_write_bytes(w, text);
    atls_scale_write_bytes(w, attestation);
}
