#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collateral_commands.h"
#include "input.h"
#include "say.h"

#define ROOT_MAX ((size_t)256 * 1024)

enum { STORE = 0xa00, ROOT, SIM_ROOT };

const flag collateral_room_flags[] = {
    {STORE, "store", "DIR",
     "the store; without it $ATLS_STORE, /var/lib/atls/collateral or ~/.cache/atls/collateral"},
    {ROOT, "root", "FAMILY:FILE", "replaces the vendor root of intel or amd"},
    {SIM_ROOT, "insecure-sim-root", "FILE", "takes collateral under a simulator's root too"},
    {0, NULL, NULL, NULL},
};

static bool append(const char **list, size_t *n, const char *arg)
{
    if (*n == ROOM_ROOTS_MAX) {
        return false;
    }
    list[(*n)++] = arg;
    return true;
}

bool collateral_room_take(collateral_room *room, int id, char *arg)
{
    switch (id) {
    case STORE:
        room->dir = arg;
        return true;
    case ROOT:
        room->too_many = !append(room->roots, &room->roots_n, arg) || room->too_many;
        return true;
    case SIM_ROOT:
        room->too_many = !append(room->sim_roots, &room->sim_roots_n, arg) || room->too_many;
        return true;
    default:
        return false;
    }
}

static atls_code add_root(const collateral_room *room, const char *option, atls_err *err)
{
    const bool intel = strncmp(option, "intel:", 6) == 0;
    input in = {0};
    if (!intel && strncmp(option, "amd:", 4) != 0) {
        return fill_err(err, ATLS_E_USAGE, "usage.root",
                        "--root %s: wanted is FAMILY:FILE, FAMILY intel or amd", option);
    }
    atls_code rc =
        input_read(strchr(option, ':') + 1, ROOT_MAX, ATLS_E_USAGE, "root.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_store_set1_root(room->store, intel ? ATLS_FAMILY_INTEL : ATLS_FAMILY_AMD,
                                  input_buf(&in), err);
    }
    input_clear(&in);
    return rc;
}

static atls_code add_sim_root(const collateral_room *room, const char *path, atls_err *err)
{
    input in = {0};
    atls_code rc = input_read(path, ROOT_MAX, ATLS_E_USAGE, "root.size", &in, err);
    if (rc == ATLS_OK) {
        rc = atls_store_insecure_trust_simulator(room->store, input_buf(&in), err);
    }
    input_clear(&in);
    return rc;
}

atls_code collateral_room_open(collateral_room *room, bool must_be, int64_t when_s, atls_err *err)
{
    static const size_t cap = 4096;
    char own[4096];
    const char *dir = room->dir;
    if (room->too_many) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "one of the repeatable options stands more than %d times", ROOM_ROOTS_MAX);
    }
    if (dir == NULL && !collateral_default_dir(own, cap)) {
        return fill_err(err, ATLS_E_USAGE, "usage.option",
                        "no home directory is known: name the store with --store");
    }
    dir = dir != NULL ? dir : own;
    if (must_be && !collateral_is_store(dir)) {
        return fill_err(err, ATLS_E_SYSTEM, "store.absent",
                        "%s: there is no store; `atls collateral fetch` or `import` makes one",
                        dir);
    }
    atls_code rc = atls_store_open(dir, &room->store, err);
    for (size_t i = 0; rc == ATLS_OK && i < room->roots_n; i++) {
        rc = add_root(room, room->roots[i], err);
    }
    for (size_t i = 0; rc == ATLS_OK && i < room->sim_roots_n; i++) {
        rc = add_sim_root(room, room->sim_roots[i], err);
    }
    rc = rc == ATLS_OK ? atls_store_load(room->store, when_s, err) : rc;
    if (rc != ATLS_OK) {
        collateral_room_close(room);
        return rc;
    }
    const char *note;
    for (size_t i = 0; (note = atls_store_note(room->store, i)) != NULL; i++) {
        fprintf(stderr, "atls: %s\n", note);
    }
    return ATLS_OK;
}

void collateral_room_close(collateral_room *room)
{
    atls_store_free(room->store);
    room->store = NULL;
}

void collateral_time_text(int64_t s, char out[COLLATERAL_TIME_LEN])
{
    struct tm tm;
    const time_t t = (time_t)s;
    if (s == INT64_MAX || s == 0 || gmtime_r(&t, &tm) == NULL ||
        strftime(out, COLLATERAL_TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "-");
    }
}

void collateral_span_text(int64_t s, char out[COLLATERAL_TIME_LEN])
{
    const long long days = s / 86400;
    const long long hours = s % 86400 / 3600;
    if (s <= 0) {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "0");
    } else if (days > 0 && days < 10000) {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "%lld d %lld h", days, hours);
    } else if (days >= 10000) {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "-");
    } else if (hours > 0) {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "%lld h %lld min", hours,
                       (long long)(s % 3600 / 60));
    } else {
        (void)snprintf(out, COLLATERAL_TIME_LEN, "%lld min", (long long)(s / 60));
    }
}
