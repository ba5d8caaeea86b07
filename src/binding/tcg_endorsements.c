#include "binding/tcg_endorsements.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/writer.h"
#include "binding/tcg_evidence.h"
#include "codec/cbor_document.h"
#include "codec/json.h"
#include "crypto/crl.h"

#define VERSION_3_0   3u
#define VERSION_3_1   0x00010003u /* minor * 65536 + major */
#define ITEMS         8           /* and perhaps a date of creation */
#define SIGNATURE_LEN 64          /* bytes: r and s */

enum { AT_TCB_INFO = 1, AT_TCB_CHAIN, AT_PCK_CRL, AT_ROOT_CRL, AT_CRL_CHAIN, AT_QE, AT_QE_CHAIN };

/* --- reading --- */

static atls_code refused(const char *what, atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_INVALID, "tcg.endorsements", "the endorsements: %s", what);
}

static atls_code read_items(atls_buf value, atls_buf items[ITEMS], atls_err *err)
{
    atls_reader r = atls_reader_of(value);
    atls_cbor_item tag = {0}, array = {0}, version = {0};
    if (value.len > ATLS_TCG_ENDORSEMENTS_MAX) {
        return refused("longer than 1 MiB", err);
    }
    if (!atls_cbor_any(&r, &tag) || tag.kind != ATLS_CBOR_TAG || tag.value != ATLS_TCG_TAG_INTEL ||
        !atls_cbor_any(&r, &array) || array.kind != ATLS_CBOR_ARRAY) {
        return refused("not an array under CBOR tag 60000", err);
    }
    if (array.value != ITEMS && array.value != ITEMS + 1) {
        return refused("an array that has neither 8 nor 9 items", err);
    }
    if (!atls_cbor_any(&r, &version) || version.kind != ATLS_CBOR_UINT ||
        (version.value != VERSION_3_0 && version.value != VERSION_3_1)) {
        return refused("collateral of a version that is neither 3.0 nor 3.1", err);
    }
    for (size_t i = 1; i < array.value; i++) {
        atls_cbor_item item = {0};
        if (!atls_cbor_any(&r, &item) || item.kind != ATLS_CBOR_BYTES) {
            return refused("an item that is no byte string", err);
        }
        if (i < ITEMS) {
            items[i] = item.bytes;
        }
    }
    return atls_tcg_ends(&r, value.len) ? ATLS_OK : refused("bytes behind the array", err);
}

/* Intel's library counts the NUL. */
static atls_buf without_nul(atls_buf text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == 0) {
        text.len--;
    }
    return text;
}

static atls_code put(json_t *to, const char *member, atls_buf text, atls_err *err)
{
    if (text.len == 0 || memchr(text.ptr, 0, text.len) != NULL || !atls_utf8_valid(text)) {
        return refused("an item that is empty, or where text is wanted, is none", err);
    }
    if (json_object_set_new(to, member, json_stringn((const char *)text.ptr, text.len)) != 0) {
        return ATLS_ERR_NOMEM(err);
    }
    return ATLS_OK;
}

/* Otherwise it would not be known again: hex can be of anything. */
static bool is_crl(atls_buf text, uint8_t *space, atls_buf *der)
{
    return atls_crl_decode(text, space, der, NULL) == ATLS_OK && der->len > 0 &&
           der->ptr[0] == 0x30;
}

static bool is_signature(atls_buf hex)
{
    uint8_t space[SIGNATURE_LEN];
    size_t len = 0;
    return atls_hex_decode((const char *)hex.ptr, hex.len, space, sizeof space, &len) &&
           len == SIGNATURE_LEN;
}

static atls_code put_crl(json_t *to, const char *member, atls_buf bytes, atls_err *err)
{
    uint8_t *space = malloc(bytes.len + 1);
    char *hex = NULL;
    atls_buf der = {NULL, 0};
    if (space == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    atls_code rc = ATLS_OK;
    if (!is_crl(bytes, space, &der)) {
        rc = refused("a CRL that is neither DER, hex nor PEM", err);
    } else if ((hex = malloc(2 * der.len + 1)) == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    } else {
        atls_hex_encode(der, hex);
        rc = put(to, member, (atls_buf){(const uint8_t *)hex, 2 * der.len}, err);
    }
    free(hex);
    free(space);
    return rc;
}

/* {"tcbInfo":{...},"signature":"..."}: what is signed, byte for byte, and the signature. */
static atls_code put_signed(json_t *to, const char *inner, const char *member,
                            const char *signature_member, atls_buf text, atls_err *err)
{
    json_t *object = NULL;
    atls_buf body = {NULL, 0};
    text = without_nul(text);
    ATLS_TRY(atls_json_parse(text, ATLS_TCG_ENDORSEMENTS_MAX, "tcg.endorsements", &object, err));
    const json_t *signature = json_object_get(object, "signature");
    atls_code rc = ATLS_OK;
    if (!json_is_object(json_object_get(object, inner)) || !json_is_string(signature) ||
        !is_signature((atls_buf){(const uint8_t *)json_string_value(signature),
                                 json_string_length(signature)}) ||
        !atls_json_member_bytes(text, inner, &body)) {
        rc = refused("a signed text that is no object with its body and signature", err);
    }
    rc = rc == ATLS_OK ? put(to, member, body, err) : rc;
    if (rc == ATLS_OK) {
        rc = put(to, signature_member,
                 (atls_buf){(const uint8_t *)json_string_value(signature),
                            json_string_length(signature)},
                 err);
    }
    json_decref(object);
    return rc;
}

static atls_code put_all(json_t *to, const atls_buf items[ITEMS], atls_err *err)
{
    ATLS_TRY(put(to, "pck_crl_issuer_chain", without_nul(items[AT_CRL_CHAIN]), err));
    ATLS_TRY(put_crl(to, "root_ca_crl", items[AT_ROOT_CRL], err));
    ATLS_TRY(put_crl(to, "pck_crl", items[AT_PCK_CRL], err));
    ATLS_TRY(put(to, "tcb_info_issuer_chain", without_nul(items[AT_TCB_CHAIN]), err));
    ATLS_TRY(put_signed(to, "tcbInfo", "tcb_info", "tcb_info_signature", items[AT_TCB_INFO], err));
    ATLS_TRY(put(to, "qe_identity_issuer_chain", without_nul(items[AT_QE_CHAIN]), err));
    return put_signed(to, "enclaveIdentity", "qe_identity", "qe_identity_signature", items[AT_QE],
                      err);
}

atls_code atls_tcg_endorsements_read(atls_buf value, char **json, atls_err *err)
{
    atls_buf items[ITEMS] = {{NULL, 0}};
    ATLS_TRY(read_items(value, items, err));
    json_t *object = json_object();
    if (object == NULL) {
        return ATLS_ERR_NOMEM(err);
    }
    char *text = NULL;
    atls_code rc = put_all(object, items, err);
    if (rc == ATLS_OK && (text = atls_json_write(object, JSON_COMPACT)) == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    }
    json_decref(object);
    if (rc == ATLS_OK) {
        *json = text;
    }
    return rc;
}

/* --- making --- */

typedef struct making {
    const json_t *from;
    atls_writer w;
    uint8_t *crl; /* room for a CRL */
    atls_err *err;
} making;

static atls_code member(const making *m, const char *name, atls_buf *text)
{
    const json_t *value = json_object_get(m->from, name);
    if (!json_is_string(value) || json_string_length(value) == 0) {
        return ATLS_ERR(m->err, ATLS_E_USAGE, "tcg.make",
                        "the collateral has no %s, which endorsements need", name);
    }
    *text = (atls_buf){(const uint8_t *)json_string_value(value), json_string_length(value)};
    return ATLS_OK;
}

static atls_code add_text(making *m, const char *name)
{
    atls_buf text;
    ATLS_TRY(member(m, name, &text));
    text.len++; /* the NUL that jansson keeps behind it */
    atls_cbor_write_string(&m->w, ATLS_CBOR_BYTES, text);
    return ATLS_OK;
}

static atls_code add_crl(making *m, const char *name)
{
    atls_buf text;
    atls_buf der;
    ATLS_TRY(member(m, name, &text));
    if (!is_crl(text, m->crl, &der)) {
        return ATLS_ERR(m->err, ATLS_E_USAGE, "tcg.make", "the collateral's %s is no CRL", name);
    }
    atls_cbor_write_string(&m->w, ATLS_CBOR_BYTES, der);
    return ATLS_OK;
}

static atls_code add_signed(making *m, const char *head, const char *name,
                            const char *signature_name)
{
    static const char between[] = ",\"signature\":\"";
    static const char end[] = "\"}"; /* and its NUL */
    atls_buf body;
    atls_buf signature;
    ATLS_TRY(member(m, name, &body));
    ATLS_TRY(member(m, signature_name, &signature));
    if (!is_signature(signature)) {
        return ATLS_ERR(m->err, ATLS_E_USAGE, "tcg.make", "the collateral's %s is no signature",
                        signature_name);
    }
    atls_cbor_write_head(&m->w, ATLS_CBOR_BYTES,
                         strlen(head) + body.len + (sizeof between - 1) + signature.len +
                             sizeof end);
    atls_writer_text(&m->w, head);
    atls_writer_bytes(&m->w, body);
    atls_writer_text(&m->w, between);
    atls_writer_bytes(&m->w, signature);
    atls_writer_bytes(&m->w, (atls_buf){(const uint8_t *)end, sizeof end});
    return ATLS_OK;
}

static atls_code add_all(making *m)
{
    atls_cbor_write_head(&m->w, ATLS_CBOR_TAG, ATLS_TCG_TAG_INTEL);
    atls_cbor_write_head(&m->w, ATLS_CBOR_ARRAY, ITEMS);
    atls_writer_u8(&m->w, 0x1a); /* peers read four bytes here, and no shorter number */
    atls_writer_u16be(&m->w, VERSION_3_1 / 65536);
    atls_writer_u16be(&m->w, VERSION_3_1 % 65536);
    ATLS_TRY(add_signed(m, "{\"tcbInfo\":", "tcb_info", "tcb_info_signature"));
    ATLS_TRY(add_text(m, "tcb_info_issuer_chain"));
    ATLS_TRY(add_crl(m, "pck_crl"));
    ATLS_TRY(add_crl(m, "root_ca_crl"));
    ATLS_TRY(add_text(m, "pck_crl_issuer_chain"));
    ATLS_TRY(add_signed(m, "{\"enclaveIdentity\":", "qe_identity", "qe_identity_signature"));
    ATLS_TRY(add_text(m, "qe_identity_issuer_chain"));
    return atls_writer_ok(&m->w)
               ? ATLS_OK
               : ATLS_ERR(m->err, ATLS_E_USAGE, "tcg.make", "collateral longer than %u bytes",
                          ATLS_TCG_ENDORSEMENTS_MAX);
}

atls_code atls_tcg_endorsements_make(atls_buf json, uint8_t **out, size_t *len, atls_err *err)
{
    json_t *object = NULL;
    ATLS_TRY(atls_json_parse(json, ATLS_TCG_ENDORSEMENTS_MAX, "tcg.endorsements", &object, err));
    uint8_t *space = malloc(json.len + 256);
    uint8_t *crl = malloc(json.len + 1);
    atls_code rc = ATLS_OK;
    if (space == NULL || crl == NULL) {
        rc = ATLS_ERR_NOMEM(err);
    } else {
        making m = {object, atls_writer_of(space, json.len + 256), crl, err};
        rc = add_all(&m);
        *len = rc == ATLS_OK ? m.w.len : *len;
    }
    json_decref(object);
    free(crl);
    if (rc != ATLS_OK) {
        free(space);
        return rc;
    }
    *out = space;
    return ATLS_OK;
}
