#include "collateral_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

enum { FETCH = 0x900, ORIGIN, FETCH_OPTION, SHARED };

const flag collateral_fetch_flags[] = {
    {FETCH, "fetch", NULL,
     "get collateral that is missing, from the vendors' services if no --origin is named"},
    {ORIGIN, "origin", "KIND=URL",
     "where to get it: intel=, pccs=, amd=, jwks:ISSUER=; repeatable, in order"},
    {FETCH_OPTION, "fetch-option", "NAME=VALUE",
     "proxy, ca, api-key, request-timeout, total-timeout, channel, ...; repeatable"},
    {SHARED, "shared", "URL", "a second level for a fleet: redis://HOST:PORT, redis+unix:PATH"},
    {0, NULL, NULL, NULL},
};

bool collateral_setup_take(collateral_setup *s, int id, char *arg)
{
    switch (id) {
    case FETCH:
        s->fetch = true;
        return true;
    case ORIGIN:
        s->fetch = true;
        s->too_many = s->too_many || s->origins_n == COLLATERAL_OPTIONS_MAX;
        if (!s->too_many) {
            s->origins[s->origins_n++] = arg;
        }
        return true;
    case FETCH_OPTION:
        s->fetch = true;
        s->too_many = s->too_many || s->options_n == COLLATERAL_OPTIONS_MAX;
        if (!s->too_many) {
            s->options[s->options_n++] = arg;
        }
        return true;
    case SHARED:
        s->fetch = true;
        s->shared = arg;
        return true;
    default:
        return false;
    }
}

bool collateral_default_dir(char *out, size_t cap)
{
    const char *named = getenv("ATLS_STORE");
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (named != NULL && named[0] != '\0') {
        n = snprintf(out, cap, "%s", named);
    } else if (geteuid() == 0) {
        n = snprintf(out, cap, "/var/lib/atls/collateral");
    } else if (cache != NULL && cache[0] == '/') {
        n = snprintf(out, cap, "%s/atls/collateral", cache);
    } else if (home != NULL && home[0] == '/') {
        n = snprintf(out, cap, "%s/.cache/atls/collateral", home);
    }
    return n > 0 && (size_t)n < cap;
}

bool collateral_is_store(const char *dir)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/index", dir);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static atls_code set_option(atls_fetcher *f, char *option, atls_err *err)
{
    char name[64];
    const char *value = strchr(option, '=');
    if (value == NULL || (size_t)(value - option) >= sizeof name) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "--fetch-option %s: wanted is NAME=VALUE", option);
    }
    memcpy(name, option, (size_t)(value - option));
    name[value - option] = '\0';
    return atls_fetcher_set_option(f, name, value + 1, err);
}

static atls_code configure(const collateral_setup *s, atls_fetcher *f, atls_err *err)
{
    atls_code rc = s->origins_n == 0 ? atls_fetcher_add_vendors(f, err) : ATLS_OK;
    for (size_t i = 0; rc == ATLS_OK && i < s->origins_n; i++) {
        rc = atls_fetcher_add_origin(f, s->origins[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < s->options_n; i++) {
        rc = set_option(f, s->options[i], err);
    }
    if (rc == ATLS_OK && s->shared != NULL) {
        rc = atls_fetcher_set_shared(f, s->shared, err);
    }
    return rc;
}

/* "...//USER:PASSWORD@HOST": what stands between, in each of the addresses that commas part. */
static void hide_passwords(char *text)
{
    for (char *at = text; at != NULL && (at = strstr(at, "//")) != NULL;) {
        at += 2;
        char *end = at + strcspn(at, ",/");
        char *colon = memchr(at, ':', (size_t)(end - at));
        char *host = NULL;
        for (char *c = at; c < end; c++) {
            host = *c == '@' ? c : host;
        }
        if (colon != NULL && host != NULL && colon < host) {
            memset(colon + 1, '*', (size_t)(host - colon - 1));
        }
        at = end;
    }
}

static void hide_all(const collateral_setup *s)
{
    for (size_t i = 0; i < s->origins_n; i++) {
        hide_passwords(s->origins[i]);
    }
    for (size_t i = 0; i < s->options_n; i++) {
        hide_passwords(s->options[i]);
    }
    hide_passwords(s->shared);
}

atls_code collateral_fetcher_open(const collateral_setup *s, atls_store *store, atls_fetch_log *log,
                                  atls_fetcher **out, atls_err *err)
{
    atls_fetcher *f = NULL;
    if (s->too_many) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "one of the repeatable options stands more than %d times",
                        COLLATERAL_OPTIONS_MAX);
    }
    atls_code rc = atls_fetcher_new(store, &f, err);
    if (rc == ATLS_OK) {
        rc = configure(s, f, err);
        hide_all(s);
    }
    if (rc == ATLS_OK) {
        atls_fetcher_set_log(f, log, NULL);
        rc = atls_fetcher_start(f, err);
    }
    if (rc != ATLS_OK) {
        atls_fetcher_free(f);
        return rc;
    }
    *out = f;
    return ATLS_OK;
}

void collateral_log(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}
