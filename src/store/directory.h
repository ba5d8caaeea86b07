/* directory.h: the files of a store.
 *
 *   objects/HEX     an item as item.h encodes it; HEX is the SHA-256 of its bytes, so a file never changes
 *   index/NAME      an entry (index_entry.h): which object is the item of a key
 *   floors          floors.h
 *   generation      a number that each change counts up, so that others see that there was one
 *   lock            whoever writes has it locked (flock)
 *
 * Each file is written beside its place (".tmp-..."), synced, and renamed: whoever reads sees the old or the new, whole. Readers
 * take no lock. Symbolic links in it are not followed, sizes are bounded before a byte is read. */
#ifndef ATLS_STORE_DIRECTORY_H
#define ATLS_STORE_DIRECTORY_H

#include <sys/types.h>
#include <time.h>

#include <atls/types.h>

typedef enum atls_store_room {
    ATLS_STORE_TOP = 0,
    ATLS_STORE_OBJECTS,
    ATLS_STORE_INDEX,
    ATLS_STORE_ROOMS
} atls_store_room;

typedef struct atls_store_directory {
    int rooms[ATLS_STORE_ROOMS]; /* file descriptors */
} atls_store_directory;
#define ATLS_STORE_UNFINISHED ".tmp-" /* how names of files begin that are being written */

#define ATLS_STORE_FILES_MAX 131072 /* names that are looked at in a room */

/* Makes what is not there (0700). ATLS_E_SYSTEM "store.directory"; "store.permissions": not ours alone to write. */
ATLS_MUST_USE atls_code atls_store_directory_open(const char *path, atls_store_directory **out,
                                                  atls_err *err);
void atls_store_directory_free(atls_store_directory *d);

/* Until atls_store_directory_unlock nobody else writes: no other process, and no other store of this one. wait: some ten
 * seconds; otherwise not at all. ATLS_E_SYSTEM "store.lock". */
ATLS_MUST_USE atls_code atls_store_directory_lock(const atls_store_directory *d, bool wait,
                                                  int *lock, atls_err *err);
void atls_store_directory_unlock(int lock);

/* How the directory looks now: two that are equal have the same items and floors. */
typedef struct atls_store_state {
    uint64_t generation;
    struct timespec index_changed, floors_changed;
    ino_t floors_file;
} atls_store_state;
void atls_store_directory_state(const atls_store_directory *d, atls_store_state *out);
bool atls_store_state_equal(const atls_store_state *a, const atls_store_state *b);
/* Counts up; under the lock. */
ATLS_MUST_USE atls_code atls_store_directory_count(const atls_store_directory *d, atls_err *err);

/* The whole file, malloc'ed, at most max bytes; *out NULL: there is none. ATLS_E_SYSTEM "store.read". */
ATLS_MUST_USE atls_code atls_store_directory_read(const atls_store_directory *d,
                                                  atls_store_room room, const char *name,
                                                  size_t max, uint8_t **out, size_t *len,
                                                  atls_err *err);
/* In place of what is there: whoever looks finds the old file or the new one, and so it is after a loss of power; which of them
 * is sure after atls_store_directory_sync. Under the lock. ATLS_E_SYSTEM "store.write". */
ATLS_MUST_USE atls_code atls_store_directory_write(const atls_store_directory *d,
                                                   atls_store_room room, const char *name,
                                                   atls_buf bytes, atls_err *err);
ATLS_MUST_USE atls_code atls_store_directory_sync(const atls_store_directory *d,
                                                  atls_store_room room, atls_err *err);
void atls_store_directory_remove(const atls_store_directory *d, atls_store_room room,
                                 const char *name); /* under the lock */

/* Names of the files in a room, sorted; those that were being written are told apart. Freed with atls_store_names_free. */
typedef struct atls_store_names {
    char **names;
    size_t n;
    bool has_unfinished; /* some names begin with ".tmp-": left out here */
} atls_store_names;
ATLS_MUST_USE atls_code atls_store_directory_names(const atls_store_directory *d,
                                                   atls_store_room room, atls_store_names *out,
                                                   atls_err *err);
void atls_store_names_free(atls_store_names *names);
bool atls_store_names_have(const atls_store_names *names, const char *name);
/* What was being written when its writer died; under the lock nobody is writing. */
void atls_store_directory_sweep(const atls_store_directory *d, atls_store_room room);

#endif
