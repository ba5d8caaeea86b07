/* Which key a path asks for. What a client writes is compared with words, or read as digits into a name: nothing of it goes
 * further. */
#include <string.h>

#include "base/hex.h"
#include "net/header_chain.h"
#include "net/pccs_answer.h"

#define FINE       200
#define BAD        400
#define NOT_THERE  404
#define NOT_GET    405
#define PAIRS_MAX  16
#define PARTS_MAX  5
#define URI_MAX    512
#define PARAMETERS 5

static bool is(atls_buf b, const char *text)
{
    return b.len == strlen(text) && memcmp(b.ptr, text, b.len) == 0;
}

/* Whatever the case. */
static bool is_word(atls_buf b, const char *text)
{
    size_t i = 0;
    for (; i < b.len && text[i] != '\0'; i++) {
        const uint8_t c = b.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != text[i]) {
            return false;
        }
    }
    return i == b.len && text[i] == '\0';
}

/* What stands before the next separator, which is taken too. */
static atls_buf take_until(atls_reader *r, uint8_t separator)
{
    size_t len = 0;
    while (len < r->left && r->ptr[len] != separator) {
        len++;
    }
    const atls_buf part = atls_reader_view(r, len);
    if (r->left > 0) {
        (void)atls_reader_u8(r);
    }
    return part;
}

/* --- query --- */

/* The values of these parameters; {NULL, 0}: absent. False: one stands twice, or there are too many. */
static bool read_query(atls_buf query, const char *const names[], size_t n,
                       atls_buf values[PARAMETERS])
{
    atls_reader r = atls_reader_of(query);
    memset(values, 0, PARAMETERS * sizeof values[0]);
    for (size_t pairs = 0; r.left > 0; pairs++) {
        if (pairs == PAIRS_MAX) {
            return false;
        }
        atls_reader pair = atls_reader_of(take_until(&r, '&'));
        const atls_buf name = take_until(&pair, '=');
        const atls_buf value = atls_reader_rest(&pair);
        for (size_t i = 0; i < n; i++) {
            if (!is(name, names[i])) {
                continue;
            }
            if (values[i].ptr != NULL) {
                return false;
            }
            values[i] = value;
        }
    }
    return true;
}

static bool read_hex(atls_buf text, uint8_t *out, size_t len)
{
    size_t got = 0;
    return text.len == 2 * len &&
           atls_hex_decode((const char *)text.ptr, text.len, out, len, &got) && got == len;
}

/* At most max, of at most 10 digits. */
static bool read_number(atls_buf text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (text.len == 0 || text.len > 10) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        v = v * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = v;
    return v <= max;
}

/* update and tcbEvaluationDataNumber: one of them, or none. */
static bool read_channel(atls_buf update, atls_buf number, atls_item_name *name)
{
    uint64_t n = 0;
    if (number.ptr != NULL) {
        name->channel = ATLS_CHANNEL_NUMBER;
        const bool fine = update.ptr == NULL && read_number(number, UINT32_MAX, &n) && n > 0;
        name->number = (uint32_t)n;
        return fine;
    }
    name->channel = is_word(update, "early") ? ATLS_CHANNEL_EARLY : ATLS_CHANNEL_STANDARD;
    return update.ptr == NULL || is_word(update, "early") || is_word(update, "standard");
}

/* --- Intel's paths --- */

static int read_tcb(atls_buf query, bool is_tdx, atls_pccs_request *q)
{
    static const char *const names[] = {"fmspc", "update", "tcbEvaluationDataNumber"};
    atls_buf v[PARAMETERS];
    q->name.kind = ATLS_ITEM_TCB_INFO;
    q->name.is_tdx = is_tdx;
    return read_query(query, names, 3, v) && read_hex(v[0], q->name.fmspc, sizeof q->name.fmspc) &&
                   read_channel(v[1], v[2], &q->name)
               ? FINE
               : BAD;
}

static int read_qe(atls_buf query, bool is_tdx, atls_pccs_request *q)
{
    static const char *const names[] = {"update", "tcbEvaluationDataNumber"};
    atls_buf v[PARAMETERS];
    q->name.kind = ATLS_ITEM_QE_IDENTITY;
    q->name.is_tdx = is_tdx;
    return read_query(query, names, 2, v) && read_channel(v[0], v[1], &q->name) ? FINE : BAD;
}

/* A PCCS gives hex when no encoding is asked for. */
static int read_pck_crl(atls_buf query, atls_pccs_request *q)
{
    static const char *const names[] = {"ca", "encoding"};
    atls_buf v[PARAMETERS];
    if (!read_query(query, names, 2, v)) {
        return BAD;
    }
    q->name.kind = ATLS_ITEM_PCK_CRL;
    q->name.is_processor = is_word(v[0], "processor");
    q->form = v[1].ptr == NULL       ? ATLS_PCCS_HEX
              : is_word(v[1], "pem") ? ATLS_PCCS_PEM
                                     : ATLS_PCCS_AS_IS;
    return (q->name.is_processor || is_word(v[0], "platform")) &&
                   (q->form != ATLS_PCCS_AS_IS || is_word(v[1], "der"))
               ? FINE
               : BAD;
}

static int read_root_crl(atls_pccs_request *q)
{
    q->name.kind = ATLS_ITEM_ROOT_CRL;
    q->form = ATLS_PCCS_HEX;
    return FINE;
}

static int read_pck_cert(atls_buf query, atls_pccs_request *q)
{
    static const char *const names[] = {"qeid", "cpusvn", "pcesvn", "pceid"};
    atls_buf v[PARAMETERS];
    q->name.kind = ATLS_ITEM_PCK_CERT;
    return read_query(query, names, 4, v) && read_hex(v[0], q->name.qeid, sizeof q->name.qeid) &&
                   read_hex(v[1], q->name.cpusvn, sizeof q->name.cpusvn) &&
                   read_hex(v[2], q->name.pcesvn, sizeof q->name.pcesvn) &&
                   read_hex(v[3], q->name.pceid, sizeof q->name.pceid)
               ? FINE
               : BAD;
}

static bool drop(atls_buf *text, const char *prefix)
{
    const size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->ptr, prefix, len) != 0) {
        return false;
    }
    text->ptr += len;
    text->len -= len;
    return true;
}

/* A CRL by its distribution point, in DER. It is compared with those that Intel's certificates name, never gone to. */
static int read_crl(atls_buf query, atls_pccs_request *q)
{
    static const char *const names[] = {"uri"};
    atls_buf v[PARAMETERS];
    uint8_t space[URI_MAX];
    atls_writer w = atls_writer_of(space, sizeof space);
    if (!read_query(query, names, 1, v) || !atls_percent_decode(v[0], &w)) {
        return BAD;
    }
    atls_buf uri = atls_writer_done(&w);
    if (drop(&uri, "https://certificates.trustedservices.intel.com/IntelSGXRootCA.")) {
        q->name.kind = ATLS_ITEM_ROOT_CRL;
        return is(uri, "der") || is(uri, "crl") ? FINE : BAD;
    }
    if (!drop(&uri, "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?") &&
        !drop(&uri, "https://api.trustedservices.intel.com/sgx/certification/v3/pckcrl?")) {
        return BAD;
    }
    const int status = read_pck_crl(uri, q);
    q->form = ATLS_PCCS_AS_IS;
    return status;
}

static int read_intel(const atls_buf part[], size_t n, atls_buf query, atls_pccs_request *q)
{
    const bool is_tdx = is(part[0], "tdx");
    if (n < 4 || !is(part[1], "certification") || !is(part[2], "v4")) {
        return NOT_THERE;
    }
    if (n == 4 && is(part[3], "tcb")) {
        return read_tcb(query, is_tdx, q);
    }
    if (n == 5 && is(part[3], "qe") && is(part[4], "identity")) {
        return read_qe(query, is_tdx, q);
    }
    if (n != 4 || is_tdx) {
        return NOT_THERE;
    }
    return is(part[3], "pckcrl")      ? read_pck_crl(query, q)
           : is(part[3], "rootcacrl") ? read_root_crl(q)
           : is(part[3], "pckcert")   ? read_pck_cert(query, q)
           : is(part[3], "crl")       ? read_crl(query, q)
                                      : NOT_THERE;
}

/* --- AMD's paths --- */

/* Decimal values of one to ten digits, 255 at most: clients write leading zeros. */
static int read_vcek(atls_buf hwid, atls_buf query, atls_pccs_request *q)
{
    static const char *const names[] = {"blSPL", "teeSPL", "snpSPL", "ucodeSPL", "fmcSPL"};
    static const size_t at[] = {0, 1, 6, 7};
    static const size_t at_turin[] = {1, 2, 3, 7, 0};
    const bool is_turin = q->name.product == ATLS_AMD_TURIN;
    atls_buf v[PARAMETERS];
    q->name.kind = ATLS_ITEM_VCEK;
    q->name.hwid_len = is_turin ? 8 : 64;
    if (!read_hex(hwid, q->name.hwid, q->name.hwid_len)) {
        return NOT_THERE;
    }
    if (!read_query(query, names, 5, v) || (!is_turin && v[4].ptr != NULL)) {
        return BAD;
    }
    for (size_t i = 0; i < (is_turin ? 5u : 4u); i++) {
        uint64_t spl = 0;
        if (!read_number(v[i], 255, &spl)) {
            return BAD;
        }
        q->name.tcb[is_turin ? at_turin[i] : at[i]] = (uint8_t)spl;
    }
    return FINE;
}

static int read_amd(const atls_buf part[], size_t n, atls_buf query, atls_pccs_request *q)
{
    static const atls_amd_product products[] = {ATLS_AMD_MILAN, ATLS_AMD_GENOA, ATLS_AMD_TURIN};
    q->name.is_vlek = is(part[0], "vlek");
    if (n != 4 || !is(part[1], "v1")) {
        return NOT_THERE;
    }
    for (size_t i = 0; i < 3; i++) {
        if (is(part[2], atls_amd_product_name(products[i]))) {
            q->name.product = products[i];
        }
    }
    if (q->name.product == ATLS_AMD_UNKNOWN) {
        return NOT_THERE;
    }
    if (is(part[3], "cert_chain")) {
        q->name.kind = ATLS_ITEM_AMD_CHAIN;
        return FINE;
    }
    if (is(part[3], "crl")) {
        q->name.kind = ATLS_ITEM_AMD_CRL;
        return FINE;
    }
    return q->name.is_vlek ? NOT_THERE : read_vcek(part[3], query, q);
}

/* --- the whole --- */

static int read_path(atls_buf path, atls_buf query, atls_pccs_request *q)
{
    atls_reader r = atls_reader_of(path);
    atls_buf part[PARTS_MAX];
    size_t n = 0;
    if (atls_reader_u8(&r) != '/') {
        return NOT_THERE;
    }
    while (r.left > 0) {
        if (n == PARTS_MAX) {
            return NOT_THERE;
        }
        part[n++] = take_until(&r, '/');
    }
    if (n == 0 || path.ptr[path.len - 1] == '/') {
        return NOT_THERE;
    }
    return is(part[0], "sgx") || is(part[0], "tdx")     ? read_intel(part, n, query, q)
           : is(part[0], "vcek") || is(part[0], "vlek") ? read_amd(part, n, query, q)
                                                        : NOT_THERE;
}

int atls_pccs_request_read(const char *method, const char *path_and_query, atls_pccs_request *out)
{
    atls_pccs_request q = {.form = ATLS_PCCS_AS_IS};
    const size_t len = strnlen(path_and_query, ATLS_PCCS_PATH_MAX + 1);
    if (strcmp(method, "GET") != 0) {
        return NOT_GET;
    }
    if (len > ATLS_PCCS_PATH_MAX) {
        return BAD;
    }
    atls_reader r = atls_reader_of((atls_buf){(const uint8_t *)path_and_query, len});
    const atls_buf path = take_until(&r, '?');
    const int status = read_path(path, atls_reader_rest(&r), &q);
    if (status != FINE) {
        return status;
    }
    atls_item_name_format(&q.name, q.key);
    *out = q;
    return FINE;
}
