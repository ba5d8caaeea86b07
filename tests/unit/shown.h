/* shown.h: a dialect's certificate made by hand: its show() with evidence of any attester, as the channel would call it. */
#ifndef ATLS_TESTS_SHOWN_H
#define ATLS_TESTS_SHOWN_H

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "binding/binding.h"
#include "binding/certificate.h"

#define SHOWN_STEPS_MAX 4

typedef struct shown {
    atls_link link;
    unsigned char *spki, *der;
    size_t der_len;
    unsigned asked; /* how often evidence was wanted */
    atls_report_data wanted[SHOWN_STEPS_MAX];
} shown;

static inline int shown_fill(uint8_t *out, size_t len)
{
    return RAND_bytes(out, (int)len);
}

/* key is lent. What show() answers, in the end; s is to be cleared either way. */
static inline atls_code shown_make(shown *s, const atls_binding *binding, EVP_PKEY *key,
                                   const atls_attester *attester, int64_t when_s,
                                   const atls_binding_option *options, size_t options_n,
                                   atls_err *err)
{
    memset(s, 0, sizeof *s);
    s->link.binding = binding;
    s->link.state = calloc(1, binding->state_size > 0 ? binding->state_size : 1);
    if (s->link.state == NULL) {
        *err = (atls_err){.code = ATLS_E_SYSTEM, .check = "system.memory", .msg = "out of memory"};
        return ATLS_E_SYSTEM;
    }
    s->link.role = ATLS_SERVER;
    s->link.when_s = when_s;
    s->link.shows = true;
    s->link.options = options;
    s->link.options_n = options_n;
    s->link.fill = shown_fill;
    s->link.key = key;
    int len = i2d_PUBKEY(key, &s->spki);
    s->link.spki = (atls_buf){s->spki, len > 0 ? (size_t)len : 0};
    for (;;) {
        atls_step next = ATLS_STEP_JUDGE;
        atls_code rc = binding->show(&s->link, &next, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        if (next == ATLS_STEP_DONE) {
            int der_len = i2d_X509(s->link.made, &s->der);
            s->der_len = der_len > 0 ? (size_t)der_len : 0;
            return ATLS_OK;
        }
        if (next != ATLS_STEP_EVIDENCE || s->asked == SHOWN_STEPS_MAX) {
            abort();
        }
        s->wanted[s->asked++] = s->link.wanted;
        atls_link_drop_evidence(&s->link);
        rc = attester->attest(attester->self, &s->link.wanted, &s->link.evidence, err);
        if (rc != ATLS_OK) {
            return rc;
        }
        s->link.has_evidence = true;
    }
}

static inline void shown_clear(shown *s)
{
    if (s->link.state != NULL && s->link.binding->end != NULL) {
        s->link.binding->end(&s->link);
    }
    atls_link_drop_evidence(&s->link);
    free(s->link.state);
    X509_free(s->link.made);
    OPENSSL_free(s->spki);
    OPENSSL_free(s->der);
    memset(s, 0, sizeof *s);
}

/* What a dialect reads in a certificate. found may be NULL: then it must be there. */
static inline atls_code shown_read(const atls_binding *binding, atls_buf der,
                                   const atls_binding_option *options, size_t options_n,
                                   atls_carried *out, bool *found, atls_err *err)
{
    atls_carrier c;
    bool there = false;
    atls_code rc = atls_carrier_parse(der, &c, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    rc = binding->read_certificate(&c, options, options_n, out, &there, err);
    atls_carrier_clear(&c);
    if (found != NULL) {
        *found = there;
    } else if (rc == ATLS_OK && !there) {
        abort();
    }
    return rc;
}

#endif
