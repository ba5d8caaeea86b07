#include "attest/tpm_selection.h"

#include <string.h>

#define SELECT_BYTES (TPM_PCRS / 8)

static const struct {
    const char *name;
    TPMI_ALG_HASH id;
} banks[] = {
    {"sha1", TPM2_ALG_SHA1},
    {"sha256", TPM2_ALG_SHA256},
    {"sha384", TPM2_ALG_SHA384},
    {"sha512", TPM2_ALG_SHA512},
};

const char *tpm_bank_name(TPMI_ALG_HASH bank)
{
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        if (banks[i].id == bank) {
            return banks[i].name;
        }
    }
    return NULL;
}

static bool has(const TPMS_PCR_SELECTION *s, unsigned pcr)
{
    return pcr / 8 < s->sizeofSelect && (s->pcrSelect[pcr / 8] >> (pcr % 8) & 1u) != 0;
}

static bool read_number(const char **p, unsigned *out)
{
    unsigned v = 0;
    const char *from = *p;
    while (**p >= '0' && **p <= '9' && *p - from < 2) {
        v = v * 10 + (unsigned)(*(*p)++ - '0');
    }
    *out = v;
    return *p > from && v < TPM_PCRS;
}

/* "7" or "10-15", not selected yet. */
static bool read_range(const char **p, TPMS_PCR_SELECTION *s)
{
    unsigned first = 0;
    if (!read_number(p, &first)) {
        return false;
    }
    unsigned last = first;
    if (**p == '-') {
        (*p)++;
        if (!read_number(p, &last) || last <= first) {
            return false;
        }
    }
    for (unsigned i = first; i <= last; i++) {
        if (has(s, i)) {
            return false;
        }
        s->pcrSelect[i / 8] = (BYTE)(s->pcrSelect[i / 8] | 1u << (i % 8));
    }
    return true;
}

static bool read_bank(const char **p, TPMI_ALG_HASH *out)
{
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        size_t len = strlen(banks[i].name);
        if (strncmp(*p, banks[i].name, len) == 0 && (*p)[len] == ':') {
            *p += len + 1;
            *out = banks[i].id;
            return true;
        }
    }
    return false;
}

static bool read_selection(const char *p, TPML_PCR_SELECTION *out)
{
    for (;;) {
        TPMS_PCR_SELECTION s = {.sizeofSelect = SELECT_BYTES};
        if (!read_bank(&p, &s.hash)) {
            return false;
        }
        for (uint32_t i = 0; i < out->count; i++) {
            if (out->pcrSelections[i].hash == s.hash) {
                return false;
            }
        }
        bool more = true;
        while (more) {
            if (!read_range(&p, &s)) {
                return false;
            }
            more = *p == ',';
            p += more ? 1 : 0;
        }
        out->pcrSelections[out->count++] = s; /* no more than there are banks */
        if (*p == '\0') {
            return true;
        }
        if (*p++ != '+') {
            return false;
        }
    }
}

atls_code tpm_selection_read(const char *text, TPML_PCR_SELECTION *out, atls_err *err)
{
    TPML_PCR_SELECTION s = {0};
    if (!read_selection(text, &s)) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.tpm.pcrs",
            "\"%.80s\" selects no PCRs: wanted is like sha256:0-15 or sha256:0,7+sha384:0-9, "
            "each PCR (0 to %d) once",
            text, TPM_PCRS - 1);
    }
    *out = s;
    return ATLS_OK;
}

size_t tpm_selection_count(const TPML_PCR_SELECTION *s)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        for (unsigned pcr = 0; pcr < TPM_PCRS; pcr++) {
            n += has(&s->pcrSelections[i], pcr);
        }
    }
    return n;
}

bool tpm_selection_equal(const TPML_PCR_SELECTION *a, const TPML_PCR_SELECTION *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        const TPMS_PCR_SELECTION *x = &a->pcrSelections[i];
        const TPMS_PCR_SELECTION *y = &b->pcrSelections[i];
        if (x->hash != y->hash) {
            return false;
        }
        for (unsigned pcr = 0; pcr < 8 * sizeof x->pcrSelect; pcr++) {
            if (has(x, pcr) != has(y, pcr)) {
                return false;
            }
        }
    }
    return true;
}

void tpm_selection_remove(TPML_PCR_SELECTION *a, const TPML_PCR_SELECTION *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        TPMS_PCR_SELECTION *x = &a->pcrSelections[i];
        for (uint32_t j = 0; j < b->count; j++) {
            const TPMS_PCR_SELECTION *y = &b->pcrSelections[j];
            for (unsigned k = 0; x->hash == y->hash && k < x->sizeofSelect && k < y->sizeofSelect;
                 k++) {
                x->pcrSelect[k] = (BYTE)(x->pcrSelect[k] & ~y->pcrSelect[k]);
            }
        }
    }
}
