/* inspect_carrier.c: the evidence that a certificate carries: of which dialect, its claims, its parts. */
#include "verify/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "binding/certificate.h"
#include "binding/tcg_evidence.h"
#include "crypto/pem.h"

static void put_claims(json_t *to, const atls_carrier *c)
{
    static const uint8_t tcg[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
    static const char *const hashes[] = {
        [ATLS_SHA256] = "sha-256", [ATLS_SHA384] = "sha-384", [ATLS_SHA512] = "sha-512"};
    atls_tcg_evidence e;
    atls_buf value;
    char tag[24];
    if (!atls_carrier_extension(c, (atls_buf){tcg, sizeof tcg}, &value, NULL) ||
        atls_tcg_parse(value, &e, NULL) != ATLS_OK) {
        return; /* why stands beside it */
    }
    (void)snprintf(tag, sizeof tag, "0x%llx", (unsigned long long)e.tag);
    atls_inspect_text(to, "cbor_tag", tag);
    json_t *claims = atls_inspect_object(to, "claims");
    json_t *hash = atls_inspect_object(claims, "pubkey-hash");
    atls_inspect_text(hash, "hash",
                      e.key_hash <= ATLS_SHA512 && hashes[e.key_hash] != NULL ? hashes[e.key_hash]
                                                                              : "unknown");
    atls_inspect_hex(hash, "value", e.key_digest);
    atls_inspect_bool(hash, "is_of_this_key", atls_tcg_check_key(&e, c->spki, NULL) == ATLS_OK);
    if (e.has_nonce) {
        atls_inspect_hex(claims, "nonce", e.nonce);
    }
    for (size_t i = 0; i < e.custom_n; i++) {
        char *name = strndup((const char *)e.custom[i].name.ptr, e.custom[i].name.len);
        if (name != NULL) {
            atls_inspect_hex(claims, name, e.custom[i].value);
        }
        free(name);
    }
}

static void put_carried(json_t *to, const atls_binding *b, const atls_carrier *c,
                        const atls_carried *carried)
{
    const atls_evidence *e = &carried->evidence;
    atls_inspect_text(to, "dialect", b->name);
    atls_inspect_text(to, "type", e->type);
    put_claims(to, c);
    if (carried->expected.has_report_data) {
        atls_inspect_hex(
            to, "report_data_for_this_key",
            (atls_buf){carried->expected.report_data, sizeof carried->expected.report_data});
    }
    for (size_t i = 0; i < e->parts_n; i++) {
        json_t *part = atls_inspect_object(to, e->parts[i].name);
        atls_err err = {0};
        atls_inspect_number(part, "bytes", e->parts[i].bytes.len);
        if (atls_inspect_part(part, e->type, e->parts[i].name, e->parts[i].bytes, &err) !=
            ATLS_OK) {
            atls_inspect_error(part, &err);
        }
    }
}

/* By the first dialect, in the order of the list, that finds something in it. True: this one did. */
static bool put_by(json_t *tree, const atls_binding *b, const atls_carrier *c)
{
    atls_carried carried = {0};
    atls_err err = {0};
    bool found = false;
    const atls_code rc = b->read_certificate(c, NULL, 0, &carried, &found, &err);
    if (rc != ATLS_OK || found) {
        json_t *to = atls_inspect_object(tree, "evidence");
        if (rc == ATLS_OK) {
            put_carried(to, b, c, &carried);
        } else {
            atls_inspect_text(to, "dialect", b->name);
            put_claims(to, c);
            atls_inspect_error(to, &err);
        }
    }
    atls_carried_clear(&carried);
    return rc != ATLS_OK || found;
}

static void put_all(json_t *tree, const atls_carrier *c)
{
    bool done = false;
    for (size_t i = 0; !done && atls_binding_at(i) != NULL; i++) {
        const atls_binding *b = atls_binding_at(i);
        done = b->read_certificate != NULL && put_by(tree, b, c);
    }
}

void atls_inspect_carried(json_t *tree, atls_buf pem_or_der)
{
    atls_carrier c;
    atls_buf der = pem_or_der;
    size_t used = 0;
    uint8_t *space = malloc(pem_or_der.len + 1);
    if (space == NULL) {
        return;
    }
    if (atls_pem_looks(pem_or_der) &&
        !atls_pem_next(&pem_or_der, "CERTIFICATE", space, pem_or_der.len, &used, &der)) {
        der = (atls_buf){NULL, 0};
    }
    if (der.len > 0 && atls_carrier_parse(der, &c, NULL) == ATLS_OK) {
        put_all(tree, &c);
        atls_carrier_clear(&c);
    }
    free(space);
}
