/* A key is read part by part, then written again and compared: so each name has one spelling. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "trust/item.h"

static const char *const tees[] = {"sgx", "tdx"};
static const char *const cas[] = {"platform", "processor"};
static const char *const signers[] = {"vcek", "vlek"};
static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";

/* --- reading --- */

typedef struct parts { /* what stands between slashes, one after another */
    const char *at;    /* NULL: nothing is left */
    bool failed;
} parts;

/* The next part, of at most cap - 1 characters; "" and failed when there is none. */
static void next(parts *p, char *out, size_t cap)
{
    const size_t len = p->at == NULL ? 0 : strcspn(p->at, "/");
    out[0] = '\0';
    if (len == 0 || len >= cap) {
        p->failed = true;
        return;
    }
    memcpy(out, p->at, len);
    out[len] = '\0';
    p->at = p->at[len] == '/' ? p->at + len + 1 : NULL;
}

static bool next_of_two(parts *p, const char *const words[2])
{
    char word[16];
    next(p, word, sizeof word);
    const bool second = strcmp(word, words[1]) == 0;
    p->failed = p->failed || (!second && strcmp(word, words[0]) != 0);
    return second;
}

static size_t next_hex(parts *p, uint8_t *out, size_t cap)
{
    char word[ATLS_ITEM_KEY_LEN];
    size_t len = 0;
    next(p, word, sizeof word);
    p->failed = p->failed || !atls_hex_decode(word, strlen(word), out, cap, &len);
    return len;
}

static void exactly(parts *p, size_t len, size_t wanted)
{
    p->failed = p->failed || len != wanted;
}

static void next_channel(parts *p, atls_item_name *name)
{
    char word[16];
    uint64_t number = 0;
    if (p->at == NULL) {
        return;
    }
    next(p, word, sizeof word);
    if (strcmp(word, "early") == 0) {
        name->channel = ATLS_CHANNEL_EARLY;
        return;
    }
    for (const char *c = word; *c != '\0' && !p->failed; c++) {
        number = number * 10 + (uint64_t)(*c - '0');
        p->failed = *c < '0' || *c > '9' || number > UINT32_MAX;
    }
    p->failed = p->failed || number == 0;
    name->channel = ATLS_CHANNEL_NUMBER;
    name->number = (uint32_t)number;
}

static void next_product(parts *p, atls_item_name *name)
{
    char word[16];
    next(p, word, sizeof word);
    name->product = p->failed ? ATLS_AMD_UNKNOWN : atls_amd_product_by_name(word);
    p->failed = p->failed || name->product == ATLS_AMD_UNKNOWN;
}

/* The URL of an issuer is printable ASCII. */
static void next_issuer(parts *p, char out[ATLS_ITEM_KEY_LEN])
{
    char word[ATLS_ITEM_KEY_LEN];
    size_t n = 0;
    next(p, word, sizeof word);
    for (size_t i = 0; word[i] != '\0' && !p->failed; i++) {
        uint8_t c = (uint8_t)word[i];
        size_t len = 1;
        if (c == '%') {
            p->failed = strlen(word + i) < 3 || !atls_hex_decode(word + i + 1, 2, &c, 1, &len);
            i += 2;
        }
        p->failed = p->failed || c <= 0x20 || c >= 0x7f;
        out[n++] = (char)c;
    }
    out[n] = '\0';
}

static void read_intel(parts *p, atls_item_name *name)
{
    char kind[16];
    next(p, kind, sizeof kind);
    if (strcmp(kind, "tcb") == 0) {
        name->kind = ATLS_ITEM_TCB_INFO;
        name->is_tdx = next_of_two(p, tees);
        exactly(p, next_hex(p, name->fmspc, sizeof name->fmspc), sizeof name->fmspc);
        next_channel(p, name);
    } else if (strcmp(kind, "qe") == 0) {
        name->kind = ATLS_ITEM_QE_IDENTITY;
        name->is_tdx = next_of_two(p, tees);
        next_channel(p, name);
    } else if (strcmp(kind, "pckcrl") == 0) {
        name->kind = ATLS_ITEM_PCK_CRL;
        name->is_processor = next_of_two(p, cas);
    } else if (strcmp(kind, "rootcrl") == 0) {
        name->kind = ATLS_ITEM_ROOT_CRL;
    } else if (strcmp(kind, "pck") == 0) {
        name->kind = ATLS_ITEM_PCK_CERT;
        exactly(p, next_hex(p, name->qeid, sizeof name->qeid), sizeof name->qeid);
        exactly(p, next_hex(p, name->cpusvn, sizeof name->cpusvn), sizeof name->cpusvn);
        exactly(p, next_hex(p, name->pcesvn, sizeof name->pcesvn), sizeof name->pcesvn);
        exactly(p, next_hex(p, name->pceid, sizeof name->pceid), sizeof name->pceid);
    } else {
        p->failed = true;
    }
}

static size_t hwid_len_of(atls_amd_product product)
{
    return product == ATLS_AMD_TURIN ? 8 : 64;
}

static void read_amd(parts *p, atls_item_name *name)
{
    char kind[16];
    next(p, kind, sizeof kind);
    if (strcmp(kind, "vcek") == 0) {
        name->kind = ATLS_ITEM_VCEK;
        next_product(p, name);
        name->hwid_len = next_hex(p, name->hwid, sizeof name->hwid);
        exactly(p, name->hwid_len, hwid_len_of(name->product));
        exactly(p, next_hex(p, name->tcb, sizeof name->tcb), sizeof name->tcb);
    } else if (strcmp(kind, "chain") == 0 || strcmp(kind, "crl") == 0) {
        name->kind = strcmp(kind, "crl") == 0 ? ATLS_ITEM_AMD_CRL : ATLS_ITEM_AMD_CHAIN;
        name->is_vlek = next_of_two(p, signers);
        next_product(p, name);
    } else {
        p->failed = true;
    }
}

/* The reader's own sentence says nothing of the key, which may be anybody's bytes. */
static atls_code refuse(atls_err *err)
{
    return ATLS_ERR(err, ATLS_E_USAGE, "item.key",
                    "no key of collateral: wanted is for instance intel/tcb/tdx/00806f050000 "
                    "(docs/collateral.md)");
}

atls_code atls_item_name_parse(const char *key, atls_item_name *out, atls_err *err)
{
    atls_item_name name = {0};
    parts p = {.at = key};
    char house[16];
    char again[ATLS_ITEM_KEY_LEN];
    if (strnlen(key, ATLS_ITEM_KEY_LEN) == ATLS_ITEM_KEY_LEN) {
        return refuse(err);
    }
    next(&p, house, sizeof house);
    if (strcmp(house, "intel") == 0) {
        read_intel(&p, &name);
    } else if (strcmp(house, "amd") == 0) {
        read_amd(&p, &name);
    } else if (strcmp(house, "jwks") == 0) {
        name.kind = ATLS_ITEM_JWKS;
        next_issuer(&p, name.issuer);
    } else {
        p.failed = true;
    }
    if (p.failed || p.at != NULL) {
        return refuse(err);
    }
    atls_item_name_format(&name, again);
    if (strcmp(key, again) != 0) {
        return refuse(err);
    }
    *out = name;
    return ATLS_OK;
}

/* --- writing --- */

static const char *channel_text(const atls_item_name *name, char out[16])
{
    out[0] = '\0';
    if (name->channel == ATLS_CHANNEL_EARLY) {
        (void)snprintf(out, 16, "/early");
    } else if (name->channel == ATLS_CHANNEL_NUMBER) {
        (void)snprintf(out, 16, "/%u", (unsigned)name->number);
    }
    return out;
}

static void format_issuer(const char *issuer, char key[ATLS_ITEM_KEY_LEN])
{
    char word[3 * ATLS_ITEM_KEY_LEN];
    size_t n = 0;
    for (size_t i = 0; issuer[i] != '\0' && i < ATLS_ITEM_KEY_LEN; i++) {
        if (strchr(unreserved, issuer[i]) != NULL) {
            word[n++] = issuer[i];
        } else {
            const uint8_t c = (uint8_t)issuer[i];
            word[n++] = '%';
            atls_hex_encode((atls_buf){&c, 1}, word + n);
            n += 2;
        }
    }
    word[n] = '\0';
    const int len = snprintf(key, ATLS_ITEM_KEY_LEN, "jwks/%s", word);
    if (len < 0 || len >= ATLS_ITEM_KEY_LEN) {
        key[0] = '\0';
    }
}

static void format_pck(const atls_item_name *name, char key[ATLS_ITEM_KEY_LEN])
{
    char qeid[2 * sizeof name->qeid + 1];
    char cpusvn[2 * sizeof name->cpusvn + 1];
    char pcesvn[2 * sizeof name->pcesvn + 1];
    char pceid[2 * sizeof name->pceid + 1];
    atls_hex_encode((atls_buf){name->qeid, sizeof name->qeid}, qeid);
    atls_hex_encode((atls_buf){name->cpusvn, sizeof name->cpusvn}, cpusvn);
    atls_hex_encode((atls_buf){name->pcesvn, sizeof name->pcesvn}, pcesvn);
    atls_hex_encode((atls_buf){name->pceid, sizeof name->pceid}, pceid);
    (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/pck/%s/%s/%s/%s", qeid, cpusvn, pcesvn, pceid);
}

static void format_vcek(const atls_item_name *name, const char *product,
                        char key[ATLS_ITEM_KEY_LEN])
{
    char hwid[2 * sizeof name->hwid + 1];
    char tcb[2 * sizeof name->tcb + 1];
    atls_hex_encode((atls_buf){name->hwid, hwid_len_of(name->product)}, hwid);
    atls_hex_encode((atls_buf){name->tcb, sizeof name->tcb}, tcb);
    (void)snprintf(key, ATLS_ITEM_KEY_LEN, "amd/vcek/%s/%s/%s", product, hwid, tcb);
}

void atls_item_name_format(const atls_item_name *name, char key[ATLS_ITEM_KEY_LEN])
{
    char channel[16];
    char fmspc[2 * sizeof name->fmspc + 1];
    const char *tee = tees[name->is_tdx ? 1 : 0];
    const char *signer = signers[name->is_vlek ? 1 : 0];
    const char *product = atls_amd_product_name(name->product);
    key[0] = '\0';
    switch (name->kind) {
    case ATLS_ITEM_TCB_INFO:
        atls_hex_encode((atls_buf){name->fmspc, sizeof name->fmspc}, fmspc);
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/tcb/%s/%s%s", tee, fmspc,
                       channel_text(name, channel));
        return;
    case ATLS_ITEM_QE_IDENTITY:
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/qe/%s%s", tee, channel_text(name, channel));
        return;
    case ATLS_ITEM_PCK_CRL:
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/pckcrl/%s", cas[name->is_processor ? 1 : 0]);
        return;
    case ATLS_ITEM_ROOT_CRL:
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "intel/rootcrl");
        return;
    case ATLS_ITEM_PCK_CERT:
        format_pck(name, key);
        return;
    case ATLS_ITEM_VCEK:
        format_vcek(name, product, key);
        return;
    case ATLS_ITEM_AMD_CHAIN:
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "amd/chain/%s/%s", signer, product);
        return;
    case ATLS_ITEM_AMD_CRL:
        (void)snprintf(key, ATLS_ITEM_KEY_LEN, "amd/crl/%s/%s", signer, product);
        return;
    case ATLS_ITEM_JWKS:
        format_issuer(name->issuer, key);
        return;
    case ATLS_ITEM_KINDS:
        return;
    }
}

atls_family atls_item_family(atls_item_kind kind)
{
    switch (kind) {
    case ATLS_ITEM_VCEK:
    case ATLS_ITEM_AMD_CHAIN:
    case ATLS_ITEM_AMD_CRL:
        return ATLS_FAMILY_AMD;
    default:
        return ATLS_FAMILY_INTEL;
    }
}
