/* bindings.c: every dialect, in plain sight. The names are those of policy files (src/policy/policy.c). */
#include "binding/binding.h"

#include <string.h>

/* The channel speaks it by itself: frames that go on under the data, re-attestation, verdicts both ways. */
const atls_binding atls_binding_atls1 = {
    .name = "atls/1",
    .kind = ATLS_BINDING_SESSION,
    .line = "session (exporter + key + role)",
    .shows = ATLS_SHOWS_CLIENT | ATLS_SHOWS_SERVER,
    .alpn = {"atls/1", "atls/1+h2", "atls/1+http/1.1"},
};

static const atls_binding *const bindings[] = {
    &atls_binding_atls1,
    &atls_binding_atlas,
    &atls_binding_cocos,
    &atls_binding_constellation,
    &atls_binding_contrast,
    &atls_binding_flashbots,
    &atls_binding_ra_tls,
    &atls_binding_ra_tls_cmw,
    &atls_binding_ra_tls_dstack,
    &atls_binding_ra_tls_flashbots,
    &atls_binding_ra_tls_gramine,
    &atls_binding_ra_tls_knauth,
    &atls_binding_ra_tls_oe,
    &atls_binding_ra_tls_sdk,
    &atls_binding_seat_early,
};

const atls_binding *atls_binding_at(size_t i)
{
    return i < sizeof bindings / sizeof bindings[0] ? bindings[i] : NULL;
}

static bool is(const char *name, atls_buf text)
{
    return strlen(name) == text.len && memcmp(name, text.ptr, text.len) == 0;
}

const atls_binding *atls_binding_find(atls_buf name)
{
    for (size_t i = 0; atls_binding_at(i) != NULL; i++) {
        if (is(atls_binding_at(i)->name, name)) {
            return atls_binding_at(i);
        }
    }
    return NULL;
}

bool atls_binding_has_option(const atls_binding *binding, const char *name)
{
    for (size_t i = 0; binding->options[i] != NULL; i++) {
        if (strcmp(binding->options[i], name) == 0) {
            return true;
        }
    }
    return binding->tls12 && strcmp(name, "tls12") == 0;
}

bool atls_binding_takes(const atls_binding *binding, atls_buf alpn_name)
{
    for (size_t i = 0; binding->alpn[i] != NULL; i++) {
        if (is(binding->alpn[i], alpn_name)) {
            return true;
        }
    }
    return binding->takes_alpn != NULL && binding->takes_alpn(alpn_name);
}
