#include "attest/nsm_message.h"

#include <string.h>

#include "base/err.h"
#include "codec/cbor.h"
#include "codec/cbor_document.h"

#define CBOR_NULL 0xf6u

static void write_text(atls_writer *w, const char *text)
{
    atls_cbor_write_string(w, ATLS_CBOR_TEXT, (atls_buf){(const uint8_t *)text, strlen(text)});
}

void nsm_write_request(atls_writer *w, const atls_report_data *data)
{
    atls_cbor_write_head(w, ATLS_CBOR_MAP, 1);
    write_text(w, "Attestation");
    atls_cbor_write_head(w, ATLS_CBOR_MAP, 3);
    write_text(w, "user_data");
    atls_writer_u8(w, CBOR_NULL);
    write_text(w, "nonce");
    atls_cbor_write_string(w, ATLS_CBOR_BYTES, (atls_buf){data->wide, sizeof data->wide});
    write_text(w, "public_key");
    if (data->spki != NULL && data->spki_len > 0) {
        atls_cbor_write_string(w, ATLS_CBOR_BYTES, (atls_buf){data->spki, data->spki_len});
    } else {
        atls_writer_u8(w, CBOR_NULL);
    }
}

static const struct {
    const char *name, *says;
} errors[] = {
    {"InvalidArgument", "it takes no such request"},
    {"InvalidIndex", "no such register"},
    {"InvalidResponse", "the hypervisor answered what it should not"},
    {"ReadOnlyIndex", "a register that is locked"},
    {"InvalidOperation", "not in the state that it is in"},
    {"BufferTooSmall", "the document is larger than there is room for"},
    {"InputTooLarge", "nonce and public key are too large"},
    {"InternalError", "try again, and report it to AWS if it stays"},
};

static atls_code read_error(const atls_cbor_item *name, atls_err *err)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (atls_cbor_is_text(name, errors[i].name)) {
            return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.nsm.error",
                            "the Nitro Security Module says %s: %s", errors[i].name,
                            errors[i].says);
        }
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.nsm.error",
                    "the Nitro Security Module gives an error that is not known");
}

/* The next item if it is a map of one pair; its key. */
static bool open_map(atls_reader *r, atls_cbor_item *key)
{
    atls_cbor_item map;
    return atls_cbor_any(r, &map) && map.kind == ATLS_CBOR_MAP && map.value == 1 &&
           atls_cbor_any(r, key);
}

atls_code nsm_read_response(atls_buf response, atls_buf *document, atls_err *err)
{
    atls_reader r = atls_reader_of(response);
    atls_cbor_item key, value;
    bool is_map = open_map(&r, &key);
    if (is_map && atls_cbor_is_text(&key, "Error") && atls_cbor_any(&r, &value) &&
        atls_reader_end(&r)) {
        return read_error(&value, err);
    }
    if (!is_map || !atls_cbor_is_text(&key, "Attestation") || !open_map(&r, &key) ||
        !atls_cbor_is_text(&key, "document") || !atls_cbor_any(&r, &value) ||
        value.kind != ATLS_CBOR_BYTES || value.bytes.len == 0 || !atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.nsm.response",
                        "the Nitro Security Module answered %zu bytes that are no document",
                        response.len);
    }
    *document = value.bytes;
    return ATLS_OK;
}
