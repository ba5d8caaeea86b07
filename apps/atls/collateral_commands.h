/* collateral_commands.h: the commands of `atls collateral`, and the store they share. */
#ifndef ATLS_APPS_COLLATERAL_COMMANDS_H
#define ATLS_APPS_COLLATERAL_COMMANDS_H

#include "collateral_setup.h"

int collateral_fetch(int argc, char **argv);
int collateral_show(int argc, char **argv);
int collateral_bundle(int argc, char **argv);
int collateral_import(int argc, char **argv);
int collateral_early(int argc, char **argv);
int command_collateral_serve(int argc, char **argv);

#define ROOM_ROOTS_MAX 16

/* What a command works on: a store in a directory, under these roots. */
typedef struct collateral_room {
    const char *dir;                   /* NULL: the user's own */
    const char *roots[ROOM_ROOTS_MAX]; /* FAMILY:FILE */
    size_t roots_n;
    const char *sim_roots[ROOM_ROOTS_MAX];
    size_t sim_roots_n;
    bool too_many;
    atls_store *store; /* once it is open */
} collateral_room;

/* --store, --root, --insecure-sim-root. */
extern const flag collateral_room_flags[];
bool collateral_room_take(collateral_room *room, int id, char *arg);
/* must_be: it is an error if there is no store yet. What it notices is told on stderr. */
atls_code collateral_room_open(collateral_room *room, bool must_be, int64_t when_s, atls_err *err);
void collateral_room_close(collateral_room *room);

/* "2025-07-04T10:00:00Z"; "-" for INT64_MAX and 0. */
#define COLLATERAL_TIME_LEN 32
void collateral_time_text(int64_t s, char out[COLLATERAL_TIME_LEN]);
/* "3 d 4 h", "12 min"; "0" for what is over. */
void collateral_span_text(int64_t s, char out[COLLATERAL_TIME_LEN]);

#endif
