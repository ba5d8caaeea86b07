/* attesters.c: the sources in the order in which they are tried, and the choice among them. */
#include "attest/attester.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define TIMEOUT_MS 30000u

/* docs/attesting.md tells why in this order. */
const attest_source *const attest_sources[] = {
    &attest_source_gramine, &attest_source_nsm,       &attest_source_dstack,
    &attest_source_tsm,     &attest_source_tdx_guest, &attest_source_sev_guest,
    &attest_source_azure,   &attest_source_tpm,       NULL,
};

typedef struct chosen {
    const attest_source *source;
    void *self;
} chosen;

static bool is_any(const char *type)
{
    return type == NULL || strcmp(type, "auto") == 0;
}

static bool makes(const attest_source *s, const char *type)
{
    for (size_t i = 0; s->types[i] != NULL; i++) {
        if (strcmp(s->types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_allowed(const attest_source *s, const atls_attest_options *o)
{
    return (o->source == NULL || strcmp(o->source, s->name) == 0) &&
           (is_any(o->type) || makes(s, o->type));
}

static atls_code open_source(const attest_source *s, const attest_os *os,
                             const atls_attest_options *o, attest_opened *opened, atls_err *err)
{
    attest_want want = {
        .os = os,
        .options = o,
        .type = is_any(o->type) ? NULL : o->type,
        .timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : TIMEOUT_MS,
    };
    *opened = (attest_opened){0};
    return s->open(&want, opened, err);
}

static void close_source(const attest_source *s, void *self)
{
    if (s->free != NULL) {
        s->free(self);
    }
}

static atls_code attest(void *self, const atls_report_data *data, atls_evidence_blob *out,
                        atls_err *err)
{
    const chosen *c = self;
    atls_evidence_blob blob = {0};
    ATLS_TRY(c->source->attest(c->self, data, &blob, err));
    if (!attest_carries(&blob, data->wide)) {
        atls_evidence_blob_clear(&blob);
        return ATLS_ERR(
            err, ATLS_E_SYSTEM, "attest.report_data",
            "%s gave evidence over other report data than it was asked for: another program "
            "may use it at the same time, or it hashes what it is given",
            c->source->name);
    }
    *out = blob;
    return ATLS_OK;
}

static void free_chosen(void *self)
{
    chosen *c = self;
    close_source(c->source, c->self);
    free(c);
}

static atls_code new_attester(const attest_source *s, const attest_opened *opened,
                              atls_attester **out, atls_err *err)
{
    chosen *c = malloc(sizeof *c);
    atls_attester *a = malloc(sizeof *a);
    if (c == NULL || a == NULL) {
        free(c);
        free(a);
        close_source(s, opened->self);
        return ATLS_ERR_NOMEM(err);
    }
    *c = (chosen){s, opened->self};
    *a = (atls_attester){.name = opened->type, .self = c, .attest = attest, .free = free_chosen};
    *out = a;
    return ATLS_OK;
}

/* Words that no source knows are the caller's mistake, before any is tried. */
static atls_code check_words(const attest_source *const *sources, const atls_attest_options *o,
                             atls_err *err)
{
    bool source = o->source == NULL;
    bool type = is_any(o->type);
    size_t allowed = 0;
    for (size_t i = 0; sources[i] != NULL; i++) {
        source = source || strcmp(sources[i]->name, o->source) == 0;
        type = type || makes(sources[i], o->type);
        allowed += is_allowed(sources[i], o);
    }
    if (!type) {
        return ATLS_ERR(
            err, ATLS_E_USAGE, "attest.type",
            "no source here makes evidence of type %.40s; `atls attest --probe` lists them",
            o->type);
    }
    if (!source) {
        return ATLS_ERR(err, ATLS_E_USAGE, "attest.source",
                        "there is no source named %.40s; `atls attest --probe` lists them",
                        o->source);
    }
    return allowed > 0
               ? ATLS_OK
               : ATLS_ERR(err, ATLS_E_USAGE, "attest.source",
                          "the source %.40s makes no evidence of type %.40s", o->source, o->type);
}

/* What was tried in vain, for one sentence. */
typedef struct vain {
    size_t n, unusable;
    char names[ATLS_ERR_MSG_LEN];
    atls_err first; /* the failure of the only one, or of the first that is there */
} vain;

static void note(vain *v, const attest_source *s, bool absent, const atls_err *why)
{
    if (v->n == 0 || (!absent && v->unusable == 0)) {
        v->first = *why;
    }
    size_t used = strlen(v->names);
    (void)snprintf(v->names + used, sizeof v->names - used, "%s%s %s", used > 0 ? ", " : "",
                   s->name, absent ? "absent" : why->check);
    v->n++;
    v->unusable += !absent;
}

static atls_code all_in_vain(const vain *v, atls_err *err)
{
    /* The only one that was asked for, or the only one there is, speaks for itself. */
    if (v->n == 1 || v->unusable == 1) {
        if (err != NULL) {
            *err = v->first;
        }
        return v->first.code;
    }
    return ATLS_ERR(err, ATLS_E_SYSTEM, "attest.none",
                    "no source of evidence works here (`atls attest --probe` tells why): %s",
                    v->names);
}

atls_code attest_open_among(const attest_source *const *sources, const attest_os *os,
                            const atls_attest_options *options, atls_attester **out, atls_err *err)
{
    static const atls_attest_options usual = {0};
    const atls_attest_options *o = options != NULL ? options : &usual;
    ATLS_TRY(check_words(sources, o, err));
    vain v = {0};
    for (size_t i = 0; sources[i] != NULL; i++) {
        const attest_source *s = sources[i];
        if (!is_allowed(s, o) ||
            (s->last_resort && is_any(o->type) && o->source == NULL && v.unusable > 0)) {
            continue;
        }
        attest_opened opened;
        atls_err why = {0};
        atls_code rc = open_source(s, os, o, &opened, &why);
        if (rc == ATLS_OK) {
            return new_attester(s, &opened, out, err);
        }
        if (rc ==
            ATLS_E_USAGE) { /* an option of the caller's is wrong: no other source mends that */
            if (err != NULL) {
                *err = why;
            }
            return rc;
        }
        note(&v, s, opened.absent, &why);
    }
    return all_in_vain(&v, err);
}

atls_code attest_open(const attest_os *os, const atls_attest_options *options, atls_attester **out,
                      atls_err *err)
{
    return attest_open_among(attest_sources, os, options, out, err);
}

bool attest_probe_at(const attest_os *os, const atls_attest_options *options, size_t i,
                     atls_attest_probe *out)
{
    static const atls_attest_options usual = {0};
    const atls_attest_options *o = options != NULL ? options : &usual;
    for (size_t at = 0; attest_sources[at] != NULL; at++) {
        const attest_source *s = attest_sources[at];
        if (!is_allowed(s, o) || i-- > 0) {
            continue;
        }
        attest_opened opened;
        atls_err why = {0};
        *out = (atls_attest_probe){.source = s->name};
        if (open_source(s, os, o, &opened, &why) == ATLS_OK) {
            close_source(s, opened.self);
            out->type = opened.type;
        } else {
            out->absent = opened.absent;
            out->check = why.check;
            memcpy(out->why, why.msg, sizeof out->why);
        }
        return true;
    }
    return false;
}

atls_code atls_attester_open(const atls_attest_options *options, atls_attester **out, atls_err *err)
{
    return attest_open(&attest_os_libc, options, out, err);
}

bool atls_attest_probe_at(const atls_attest_options *options, size_t i, atls_attest_probe *out)
{
    return attest_probe_at(&attest_os_libc, options, i, out);
}
