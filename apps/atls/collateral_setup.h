/* collateral_setup.h: the options that say where collateral is kept and fetched from, and the store and fetcher they make. */
#ifndef ATLS_APPS_COLLATERAL_SETUP_H
#define ATLS_APPS_COLLATERAL_SETUP_H

#include <atls/fetch.h>
#include <atls/store.h>

#include "flags.h"

#define COLLATERAL_OPTIONS_MAX 16

typedef struct collateral_setup {
    const char *dir;                       /* of the store; NULL: the user's own */
    char *origins[COLLATERAL_OPTIONS_MAX]; /* KIND=URL; none: the vendors' */
    size_t origins_n;
    char *options[COLLATERAL_OPTIONS_MAX]; /* NAME=VALUE */
    size_t options_n;
    char *shared; /* URL; NULL: no second level */
    bool fetch;   /* asked for by any of these */
    bool too_many;
} collateral_setup;

/* --fetch, --origin, --fetch-option, --shared. */
extern const flag collateral_fetch_flags[];
/* True if the option was one of them. */
bool collateral_setup_take(collateral_setup *s, int id, char *arg);

/* $ATLS_STORE, /var/lib/atls/collateral for root, else ~/.cache/atls/collateral ($XDG_CACHE_HOME). False: the environment has no
 * home. */
bool collateral_default_dir(char *out, size_t cap);
/* Does a store live in this directory? */
bool collateral_is_store(const char *dir);

/* The passwords that stand in s's text are overwritten: others on the machine read the command line.
 * A fetcher over the store, at work, as the options want it; log NULL: it says nothing. The caller frees it before the store. */
atls_code collateral_fetcher_open(const collateral_setup *s, atls_store *store, atls_fetch_log *log,
                                  atls_fetcher **out, atls_err *err);

/* What fetchers log, on stderr, a line each. */
void collateral_log(void *arg, const char *line);

#endif
