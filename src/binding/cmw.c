#include "binding/cmw.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/writer.h"
#include "codec/base64url.h"
#include "codec/cbor_document.h"
#include "codec/json.h"

/* RFC 9277, appendix B: the tag of content-format cf is the first + cf / 255 * 256 + cf % 255. */
#define TAG_FIRST          1668546817u
#define TAG_LAST           1668612095u
#define CONTENT_FORMAT_MAX 65535u
#define MEDIA_TYPE_MAX     256
#define HEAD_MAX           9

/* --- records --- */

static bool is_media_type(atls_buf text)
{
    bool slash = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
        slash = slash || text.ptr[i] == '/';
    }
    return slash && text.len <= MEDIA_TYPE_MAX;
}

static bool read_type(const atls_cbor_item *type, atls_cmw *out)
{
    if (type->kind == ATLS_CBOR_UINT && type->value <= CONTENT_FORMAT_MAX) {
        out->content_format = (uint32_t)type->value;
        return true;
    }
    out->media_type = type->bytes;
    return type->kind == ATLS_CBOR_TEXT && is_media_type(type->bytes);
}

static atls_code read_record(atls_buf bytes, atls_cmw *out, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    atls_cbor_item array = {0}, type = {0}, value = {0}, ind = {.value = 1};
    bool ok = atls_cbor_any(&r, &array) && array.kind == ATLS_CBOR_ARRAY &&
              (array.value == 2 || array.value == 3) && atls_cbor_any(&r, &type) &&
              read_type(&type, out) && atls_cbor_any(&r, &value) && value.kind == ATLS_CBOR_BYTES;
    if (ok && array.value == 3) {
        ok = atls_cbor_any(&r, &ind) && ind.kind == ATLS_CBOR_UINT && ind.value > 0 &&
             ind.value <= UINT32_MAX;
        out->ind = (uint32_t)ind.value;
    }
    if (!ok || !atls_reader_end(&r)) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.record",
                        "not an array of a type, bytes, and perhaps an indicator above 0");
    }
    out->form = ATLS_CMW_RECORD;
    out->value = value.bytes;
    return ATLS_OK;
}

static atls_code read_tag(atls_buf bytes, atls_cmw *out, atls_err *err)
{
    atls_reader r = atls_reader_of(bytes);
    atls_cbor_item tag = {0}, value = {0};
    bool ok = atls_cbor_any(&r, &tag) && tag.kind == ATLS_CBOR_TAG && tag.value >= TAG_FIRST &&
              tag.value <= TAG_LAST && (tag.value - TAG_FIRST) % 256 != 255 &&
              atls_cbor_any(&r, &value) && value.kind == ATLS_CBOR_BYTES && atls_reader_end(&r);
    const uint64_t from_first = ok ? tag.value - TAG_FIRST : 0;
    const uint64_t format = from_first / 256 * 255 + from_first % 256;
    if (!ok || format > CONTENT_FORMAT_MAX) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.tag",
                        "not bytes under the CBOR tag of a content-format");
    }
    out->form = ATLS_CMW_TAG;
    out->content_format = (uint32_t)format;
    out->value = value.bytes;
    return ATLS_OK;
}

static bool keep_type(const json_t *type, size_t cap, uint8_t *space, atls_cmw *out)
{
    if (json_is_integer(type)) {
        const json_int_t format = json_integer_value(type);
        out->content_format = format < 0 ? 0 : (uint32_t)format;
        return format >= 0 && format <= CONTENT_FORMAT_MAX;
    }
    if (!json_is_string(type) || json_string_length(type) > cap) {
        return false;
    }
    memcpy(space, json_string_value(type), json_string_length(type));
    out->media_type = (atls_buf){space, json_string_length(type)};
    return is_media_type(out->media_type);
}

/* jansson's strings are freed: type and value go into space, which they fit together. */
static bool keep_strings(const json_t *record, size_t cap, uint8_t *space, atls_cmw *out)
{
    const json_t *value = json_array_get(record, 1);
    size_t len = 0;
    if (!json_is_string(value) || !keep_type(json_array_get(record, 0), cap, space, out)) {
        return false;
    }
    const size_t used = out->media_type.len;
    const atls_buf text = {(const uint8_t *)json_string_value(value), json_string_length(value)};
    if (!atls_base64url_decode(text, space + used, cap - used, &len)) {
        return false;
    }
    out->value = (atls_buf){space + used, len};
    return true;
}

static atls_code read_json(atls_buf bytes, uint8_t *space, atls_cmw *out, atls_err *err)
{
    json_t *record = NULL;
    ATLS_TRY(atls_json_parse(bytes, ATLS_CMW_MAX_LEN, "cmw.json", &record, err));
    const size_t n = json_array_size(record);
    const json_t *ind = json_array_get(record, 2);
    bool ok = (n == 2 || n == 3) && keep_strings(record, bytes.len, space, out);
    if (ok && n == 3) {
        ok = json_is_integer(ind) && json_integer_value(ind) > 0 &&
             json_integer_value(ind) <= UINT32_MAX;
        out->ind = ok ? (uint32_t)json_integer_value(ind) : 0;
    }
    json_decref(record);
    out->form = ATLS_CMW_JSON;
    return ok ? ATLS_OK
              : ATLS_ERR(err, ATLS_E_INVALID, "cmw.json",
                         "not an array of a media type, base64url without padding, and perhaps an "
                         "indicator above 0");
}

/* --- which of them --- */

static const char *why_not(uint8_t first)
{
    if (first == '{' || (first >= 0xa0 && first <= 0xbb) || first == 0xbf) {
        return "a collection, where one message is taken";
    }
    if (first == 0xd2) {
        return "a signed wrapper, where a plain one is taken";
    }
    if (first == 0x9f) {
        return "a record of indefinite length";
    }
    return "its first byte is that of no wrapper";
}

atls_code atls_cmw_parse(atls_buf bytes, uint8_t *space, atls_cmw *out, atls_err *err)
{
    atls_cmw cmw = {0};
    if (bytes.len == 0 || bytes.len > ATLS_CMW_MAX_LEN) {
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.size",
                        "a wrapper of %zu bytes, where 1 to %d are taken", bytes.len,
                        ATLS_CMW_MAX_LEN);
    }
    switch (bytes.ptr[0]) {
    case 0x82:
    case 0x83:
        ATLS_TRY(read_record(bytes, &cmw, err));
        break;
    case 0xda:
        ATLS_TRY(read_tag(bytes, &cmw, err));
        break;
    case '[':
        ATLS_TRY(read_json(bytes, space, &cmw, err));
        break;
    default:
        return ATLS_ERR(err, ATLS_E_INVALID, "cmw.form", "%s", why_not(bytes.ptr[0]));
    }
    *out = cmw;
    return ATLS_OK;
}

/* --- making --- */

atls_code atls_cmw_make(const char *media_type, atls_buf value, uint32_t ind, uint8_t **out,
                        size_t *len, atls_err *err)
{
    const atls_buf type = {(const uint8_t *)media_type, strlen(media_type)};
    const size_t cap = 4 * HEAD_MAX + type.len + value.len;
    uint8_t *space = malloc(cap);
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_writer w = atls_writer_of(space, cap);
    atls_cbor_write_head(&w, ATLS_CBOR_ARRAY, ind != 0 ? 3 : 2);
    atls_cbor_write_string(&w, ATLS_CBOR_TEXT, type);
    atls_cbor_write_string(&w, ATLS_CBOR_BYTES, value);
    if (ind != 0) {
        atls_cbor_write_head(&w, ATLS_CBOR_UINT, ind);
    }
    *out = space;
    *len = w.len;
    return ATLS_OK;
}
