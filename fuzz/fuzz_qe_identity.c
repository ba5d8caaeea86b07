/* What the identity parser takes, jansson takes too and reads the same, level by level in file order. */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "codec/json.h"
#include "trust/tcb_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert(text != NULL);
    return text;
}

static void same_hex(json_t *json, const char *name, const uint8_t *bytes, size_t len)
{
    uint8_t out[64];
    size_t out_len;
    const char *hex = text_of(json, name);
    bool decoded = atls_hex_decode(hex, strlen(hex), out, sizeof out, &out_len);
    assert(decoded && out_len == len && memcmp(out, bytes, len) == 0);
}

static void same_time(json_t *json, const char *name, int64_t time_s)
{
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(time_s, text);
    assert(strcmp(text, text_of(json, name)) == 0);
}

static void same_level(json_t *json, const atls_isv_level *level)
{
    assert(json_integer_value(json_object_get(json_object_get(json, "tcb"), "isvsvn")) ==
           level->isvsvn);
    assert(strcmp(text_of(json, "tcbStatus"), atls_tcb_status_name(level->status)) == 0);
    same_time(json, "tcbDate", level->date_s);
    json_t *advisories = json_object_get(json, "advisoryIDs");
    assert(json_array_size(advisories) == level->advisories.n && level->advisories.n <= 64);
    for (size_t i = 0; i < level->advisories.n; i++) {
        assert(strcmp(json_string_value(json_array_get(advisories, i)), level->advisories.ids[i]) ==
               0);
    }
}

static void reads_the_same(const atls_qe_identity *identity, json_t *json)
{
    static const char *const ids[] = {"QE", "TD_QE", "QVE"};
    assert(strcmp(text_of(json, "id"), ids[identity->id]) == 0);
    assert(json_integer_value(json_object_get(json, "version")) == 2);
    assert(json_integer_value(json_object_get(json, "isvprodid")) == identity->isvprodid);
    same_time(json, "issueDate", identity->issue_date_s);
    same_time(json, "nextUpdate", identity->next_update_s);
    same_hex(json, "attributes", identity->attributes, 16);
    same_hex(json, "attributesMask", identity->attributes_mask, 16);
    same_hex(json, "mrsigner", identity->mrsigner, 32);
    const uint8_t miscselect[4] = {
        (uint8_t)identity->miscselect, (uint8_t)(identity->miscselect / 0x100u),
        (uint8_t)(identity->miscselect / 0x10000u), (uint8_t)(identity->miscselect / 0x1000000u)};
    same_hex(json, "miscselect", miscselect, 4);
    json_t *levels = json_object_get(json, "tcbLevels");
    assert(json_array_size(levels) == identity->levels_n && identity->levels_n > 0);
    for (size_t i = 0; i < identity->levels_n; i++) {
        same_level(json_array_get(levels, i), &identity->levels[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_buf text = {data, size};
    atls_qe_identity *identity = NULL;
    atls_err err = {0};
    if (atls_qe_identity_parse(text, &identity, &err) != ATLS_OK) {
        assert(identity == NULL && err.code == ATLS_E_INVALID && err.msg[0] != '\0');
        assert(strcmp(err.check, "qe_identity.format") == 0 ||
               strcmp(err.check, "qe_identity.version") == 0);
        return 0;
    }
    json_t *json = NULL;
    atls_code rc = atls_json_parse(text, size, "fuzz", &json, &err);
    assert(rc == ATLS_OK);
    reads_the_same(identity, json);
    json_decref(json);
    atls_qe_identity_free(identity);
    return 0;
}
