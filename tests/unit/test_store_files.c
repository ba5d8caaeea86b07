/* A store over a directory: what is there again after a restart, and what is passed over. */
#include <signal.h>
#include <sys/resource.h>

#include "unit/store_rig.h"

#include "store/store.h"

static int open_vendor(void **state)
{
    static vendor v;
    vendor_open(&v);
    *state = &v;
    return 0;
}

static int close_vendor(void **state)
{
    vendor_close(*state);
    return 0;
}

static const char *in(const char *dir, const char *name)
{
    static char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* The i-th name in a room that does not begin with '.'; "" if there is none. */
static const char *file_at(const char *dir, const char *room, size_t i)
{
    static char path[1024];
    DIR *d = opendir(in(dir, room));
    struct dirent *e;
    path[0] = '\0';
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.' && i-- == 0) {
            (void)snprintf(path, sizeof path, "%s/%s/%s", dir, room, e->d_name);
            break;
        }
    }
    closedir(d);
    return path;
}

static size_t files_in(const char *dir, const char *room)
{
    size_t n = 0;
    while (file_at(dir, room, n)[0] != '\0') {
        n++;
    }
    return n;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t len = fread(out, 1, cap, f);
    fclose(f);
    return len;
}

static void what_was_taken_is_there_again(void **state)
{
    const vendor *v = *state;
    char *top = fresh_dir();
    char dir[600];
    (void)snprintf(dir, sizeof dir, "%s/a/b", top); /* made, and what is above it */
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made crl = vendor_root_crl(v, NOW);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    assert_taken(s, &crl, NOW);
    atls_store_set_reachable(s, TCB, false, NOW + 5);
    atls_item_status before;
    atls_item_status after;
    assert_true(status_of(s, TCB, &before));
    atls_store_free(s);
    s = store_loaded(v, dir, NOW + 10);
    assert_true(holds(s, &tcb) && holds(s, &crl));
    assert_true(status_of(s, TCB, &after));
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(after.unreachable_since_s, NOW + 5);
    assert_int_equal(atls_store_clock_floor(s), NOW - SIM_HOUR);
    assert_null(atls_store_note(s, 0));
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    atls_store_free(s);
    remove_tree(dir);
    (void)rmdir(in(top, "a"));
    made_free(&tcb);
    made_free(&crl);
    close_dir(top);
}

/* Collateral that is out of its time stays: it may be judged as of then, and a policy may have grace. */
static void what_is_over_is_kept(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made tcb = vendor_tcb(v, 1, NOW, 17);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    atls_store_free(s);
    s = store_loaded(v, dir, NOW + 100 * SIM_DAY);
    assert_true(holds(s, &tcb));
    atls_store_free(s);
    made_free(&tcb);
    close_dir(dir);
}

static void floors_outlive_the_process(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made now = vendor_tcb(v, 1, NOW, 17);
    made older = vendor_tcb(v, 1, NOW - SIM_DAY, 17);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &now, NOW);
    atls_store_free(s);
    s = store_open(v, dir); /* even one that was not loaded */
    assert_not_taken(store_take(s, &older, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
    atls_store_free(s);
    made_free(&now);
    made_free(&older);
    close_dir(dir);
}

/* Files of an older day, put back by whoever can write there: the floors know better. */
static void items_below_the_floors_are_not_used(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    char entry[1024];
    uint8_t old_entry[2048];
    uint8_t old_object[65536];
    char object[1024];
    made older = vendor_tcb(v, 1, NOW - SIM_DAY, 17);
    made now = vendor_tcb(v, 1, NOW, 17);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &older, NOW);
    (void)snprintf(entry, sizeof entry, "%s", file_at(dir, "index", 0));
    (void)snprintf(object, sizeof object, "%s", file_at(dir, "objects", 0));
    const size_t entry_len = read_file(entry, old_entry, sizeof old_entry);
    const size_t object_len = read_file(object, old_object, sizeof old_object);
    assert_taken(s, &now, NOW);
    atls_store_free(s);
    assert_int_equal(files_in(dir, "objects"), 1); /* the older one was removed */
    write_file(entry, old_entry, entry_len);
    write_file(object, old_object, object_len);
    s = store_loaded(v, dir, NOW);
    assert_int_equal(count_of(s), 0);
    assert_true(noted(s, "collateral.rollback"));
    atls_store_free(s);
    made_free(&older);
    made_free(&now);
    close_dir(dir);
}

static void lost_floors_are_told_and_rebuilt(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made now = vendor_tcb(v, 1, NOW, 17);
    made older = vendor_tcb(v, 1, NOW - SIM_DAY, 17);
    static const struct {
        const char *content; /* NULL: no file */
        const char *note;
    } cases[] = {{NULL, "floors is lost"}, {"", "passed over"}, {"nonsense\n", "passed over"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_store *s = store_loaded(v, dir, NOW);
        assert_taken(s, &now, NOW);
        atls_store_free(s);
        assert_int_equal(unlink(in(dir, "floors")), 0);
        if (cases[i].content != NULL) {
            write_file(in(dir, "floors"), cases[i].content, strlen(cases[i].content));
        }
        s = store_loaded(v, dir, NOW);
        assert_true(noted(s, cases[i].note));
        assert_true(noted(s, "floors is lost"));
        assert_true(holds(s, &now));
        assert_not_taken(store_take(s, &older, NOW, err), ATLS_E_COLLATERAL, "collateral.rollback");
        atls_store_free(s);
        s = store_loaded(v, dir, NOW); /* they are on disk again */
        assert_null(atls_store_note(s, 0));
        atls_store_free(s);
    }
    made_free(&now);
    made_free(&older);
    close_dir(dir);
}

/* Each byte of an entry and, in steps, of an object: never used, always told; and fetched anew it is whole again. */
static void damaged_files_are_passed_over(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made tcb = vendor_tcb(v, 1, NOW, 17);
    static uint8_t good[65536];
    static const struct {
        const char *room;
        size_t step;
        const char *check;
    } rooms[] = {{"index", 7, "store.index"}, {"objects", 97, "store.object"}};
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    atls_store_free(s);
    for (size_t r = 0; r < 2; r++) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s", file_at(dir, rooms[r].room, 0));
        const size_t len = read_file(path, good, sizeof good);
        for (size_t at = 0; at < len; at += rooms[r].step) {
            good[at] ^= 0x20;
            write_file(path, good, len);
            good[at] ^= 0x20;
            s = store_loaded(v, dir, NOW);
            assert_int_equal(count_of(s), 0);
            assert_true(noted(s, rooms[r].check));
            atls_store_free(s);
        }
        for (size_t cut = 0; cut < len; cut += rooms[r].step) {
            write_file(path, good, cut);
            s = store_loaded(v, dir, NOW);
            assert_int_equal(count_of(s), 0);
            assert_non_null(atls_store_note(s, 0));
            atls_store_free(s);
        }
        s = store_loaded(v, dir, NOW);
        assert_taken(s, &tcb, NOW);
        atls_store_free(s);
        s = store_loaded(v, dir, NOW);
        assert_true(holds(s, &tcb));
        assert_null(atls_store_note(s, 0));
        atls_store_free(s);
    }
    made_free(&tcb);
    close_dir(dir);
}

/* An entry under another name, an entry without object, an object that is a link, and one that is a directory. */
static void odd_files_are_passed_over(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made tcb = vendor_tcb(v, 1, NOW, 17);
    char object[1024];
    char entry[1024];
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    atls_store_free(s);
    (void)snprintf(object, sizeof object, "%s", file_at(dir, "objects", 0));
    (void)snprintf(entry, sizeof entry, "%s", file_at(dir, "index", 0));
    assert_int_equal(rename(object, in(dir, "elsewhere")), 0);
    s = store_loaded(v, dir, NOW);
    assert_true(count_of(s) == 0 && noted(s, "store.object"));
    atls_store_free(s);
    assert_int_equal(symlink("../elsewhere", object), 0);
    s = store_loaded(v, dir, NOW);
    assert_true(count_of(s) == 0 && noted(s, "store.read"));
    atls_store_free(s);
    assert_int_equal(unlink(object), 0);
    assert_int_equal(mkdir(object, 0700), 0);
    s = store_loaded(v, dir, NOW);
    assert_true(count_of(s) == 0 && noted(s, "store.read"));
    atls_store_free(s);
    assert_int_equal(rmdir(object), 0);
    assert_int_equal(rename(in(dir, "elsewhere"), object), 0);
    assert_int_equal(rename(entry, in(dir, "index/intel+rootcrl")), 0);
    s = store_loaded(v, dir, NOW);
    assert_true(count_of(s) == 0 && noted(s, "store.index"));
    atls_store_free(s);
    assert_int_equal(rename(in(dir, "index/intel+rootcrl"), entry), 0);
    s = store_loaded(v, dir, NOW);
    assert_true(holds(s, &tcb) && atls_store_note(s, 0) == NULL);
    atls_store_free(s);
    made_free(&tcb);
    close_dir(dir);
}

static void what_dead_writers_left_is_swept(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    char orphan[128];
    made tcb = vendor_tcb(v, 1, NOW, 17);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    atls_store_free(s);
    (void)snprintf(orphan, sizeof orphan, "objects/%064d", 1);
    write_file(in(dir, orphan), "x", 1);
    write_file(in(dir, "objects/.tmp-1"), "half", 4);
    write_file(in(dir, "index/.tmp-1"), "half", 4);
    write_file(in(dir, ".tmp-1"), "half", 4);
    s = store_loaded(v, dir, NOW);
    assert_true(holds(s, &tcb) && atls_store_note(s, 0) == NULL);
    assert_int_equal(files_in(dir, "objects"), 1);
    assert_int_equal(access(in(dir, "objects/.tmp-1"), F_OK), -1);
    assert_int_equal(access(in(dir, "index/.tmp-1"), F_OK), -1);
    assert_int_equal(access(in(dir, ".tmp-1"), F_OK), -1);
    atls_store_free(s);
    made_free(&tcb);
    close_dir(dir);
}

static void only_a_directory_of_ones_own_will_do(void **state)
{
    const vendor *v = *state;
    (void)v;
    char *dir = fresh_dir();
    atls_store *s = NULL;
    for (mode_t mode = 0720; mode <= 0722; mode += 2) {
        assert_int_equal(chmod(dir, mode), 0);
        assert_not_taken(atls_store_open(dir, &s, err), ATLS_E_SYSTEM, "store.permissions");
    }
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(mkdir(in(dir, "objects"), 0700), 0);
    assert_int_equal(chmod(in(dir, "objects"), 0777), 0);
    assert_not_taken(atls_store_open(dir, &s, err), ATLS_E_SYSTEM, "store.permissions");
    assert_int_equal(rmdir(in(dir, "objects")), 0);
    assert_int_equal(symlink("/tmp", in(dir, "objects")), 0);
    assert_not_taken(atls_store_open(dir, &s, err), ATLS_E_SYSTEM, "store.directory");
    if (geteuid() == 0) { /* of another user */
        assert_int_equal(unlink(in(dir, "objects")), 0);
        assert_int_equal(chown(dir, 12345, (gid_t)-1), 0);
        assert_not_taken(atls_store_open(dir, &s, err), ATLS_E_SYSTEM, "store.permissions");
        assert_int_equal(chown(dir, 0, (gid_t)-1), 0);
    }
    write_file(in(dir, "file"), "", 0);
    assert_not_taken(atls_store_open(in(dir, "file"), &s, err), ATLS_E_SYSTEM, "store.directory");
    assert_null(s);
    close_dir(dir);
}

/* No room on the disk (here: for files beyond a size): memory has it, the caller is told, and once there is room again the next
 * process finds what was acknowledged. */
static void a_full_disk_is_told(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made crl = vendor_root_crl(v, NOW);
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made next = vendor_tcb(v, 1, NOW + SIM_DAY, 17);
    struct rlimit before;
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 100, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    atls_err why = {0};
    const atls_code rc = store_take(s, &crl, NOW, &why);
    const atls_code again = store_take(s, &next, NOW + SIM_DAY, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, ATLS_E_SYSTEM);
    assert_int_equal(again, ATLS_E_SYSTEM);
    assert_string_equal(why.check, "store.write");
    assert_true(holds(s, &crl) && holds(s, &next));
    assert_true(noted(s, "in memory only"));
    atls_store_free(s);
    s = store_loaded(v, dir, NOW);
    assert_true(holds(s, &tcb));
    assert_null(atls_store_note(s, 0));
    atls_store_free(s);
    made_free(&crl);
    made_free(&tcb);
    made_free(&next);
    close_dir(dir);
}

/* Somebody else has it locked, and stays: after a while memory alone has the item. */
static int64_t silent_since(const atls_store *s, const char *key)
{
    int64_t since_s = -1;
    atls_shelf *shelf = atls_shelf_place_get(atls_store_get0_place(s));
    assert_non_null(atls_shelf_find(shelf, key, NULL, &since_s));
    atls_shelf_free(shelf);
    return since_s;
}

/* While nothing can be written, what memory alone has is told again and again, and verifiers see an origin that answers again;
 * once there is room it is on disk before it is acknowledged. */
static void what_could_not_be_written_is_written_later(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made tcb = vendor_tcb(v, 1, NOW, 17);
    made crl = vendor_root_crl(v, NOW);
    struct rlimit before;
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &tcb, NOW);
    atls_store_set_reachable(s, TCB, false, NOW + 10);
    assert_int_equal(silent_since(s, TCB), NOW + 10);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    atls_store_set_reachable(s, TCB, true, NOW + 20);
    assert_int_equal(silent_since(s, TCB), 0);
    assert_not_taken(store_take(s, &crl, NOW, err), ATLS_E_SYSTEM, "store.write");
    assert_true(holds(s, &crl));
    assert_not_taken(store_take(s, &crl, NOW, err), ATLS_E_SYSTEM, "store.write");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_taken(s, &crl, NOW);
    atls_store_free(s);
    s = store_loaded(v, dir, NOW);
    assert_true(holds(s, &crl));
    atls_store_free(s);
    made_free(&tcb);
    made_free(&crl);
    close_dir(dir);
}

static void a_lock_that_is_never_free_is_told(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made crl = vendor_root_crl(v, NOW);
    atls_store *s = store_loaded(v, dir, NOW);
    assert_int_equal(rmdir(in(dir, "lock")), -1);
    (void)unlink(in(dir, "lock"));
    assert_int_equal(mkdir(in(dir, "lock"), 0700), 0);
    assert_not_taken(store_take(s, &crl, NOW, err), ATLS_E_SYSTEM, "store.write");
    assert_true(noted(s, "lock"));
    assert_true(holds(s, &crl));
    atls_store_free(s);
    made_free(&crl);
    close_dir(dir);
}

/* Two stores on one directory, as two processes have them. */
static void others_changes_are_seen(void **state)
{
    const vendor *v = *state;
    char *dir = fresh_dir();
    made first = vendor_tcb(v, 1, NOW, 17);
    made second = vendor_tcb(v, 1, NOW + SIM_DAY, 18);
    made other = vendor_tcb(v, 2, NOW, 17);
    atls_store *a = store_loaded(v, dir, NOW);
    atls_store *b = store_loaded(v, dir, NOW);
    assert_taken(a, &first, NOW);
    assert_false(holds(b, &first));
    assert_int_equal(atls_store_load(b, NOW, NULL), ATLS_OK);
    assert_true(holds(b, &first));
    assert_taken(b, &second, NOW + SIM_DAY);
    assert_taken(b, &other, NOW + SIM_DAY);
    /* a does not know yet, but the floors do. */
    assert_not_taken(store_take(a, &first, NOW + 31 * SIM_DAY, err), ATLS_E_COLLATERAL,
                     "item.expired");
    made between = vendor_tcb(v, 1, NOW + SIM_HOUR, 17);
    assert_not_taken(store_take(a, &between, NOW + SIM_DAY, err), ATLS_E_COLLATERAL,
                     "collateral.rollback");
    assert_int_equal(atls_store_load(a, NOW + SIM_DAY, NULL), ATLS_OK);
    assert_true(holds(a, &second) && holds(a, &other));
    atls_store_set_reachable(b, TCB, false, NOW + SIM_DAY);
    assert_int_equal(atls_store_load(a, NOW + SIM_DAY, NULL), ATLS_OK);
    atls_item_status status;
    assert_true(status_of(a, TCB, &status));
    assert_int_equal(status.unreachable_since_s, NOW + SIM_DAY);
    assert_null(atls_store_note(a, 0));
    assert_null(atls_store_note(b, 0));
    atls_store_free(a);
    atls_store_free(b);
    made_free(&first);
    made_free(&second);
    made_free(&other);
    made_free(&between);
    close_dir(dir);
}

/* A set of keys from its origin is kept; one that another source brought into the directory is not used. */
static void jwk_sets_are_kept_from_their_origin_only(void **state)
{
    const vendor *v = *state;
    static const char key[] = "jwks/https%3a%2f%2fissuer.example";
    char *dir = fresh_dir();
    made jwks = made_of(key, "",
                        store_text("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                                   "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                                   "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}"));
    atls_store *s = store_loaded(v, dir, NOW);
    assert_taken(s, &jwks, NOW);
    atls_store_free(s);
    s = store_loaded(v, dir, NOW);
    assert_true(holds(s, &jwks));
    uint8_t *bundle = NULL;
    size_t len = 0;
    const char *const keys[] = {key, NULL};
    assert_not_taken(atls_store_bundle(s, keys, NULL, NOW, &bundle, &len, err), ATLS_E_INVALID,
                     "store.jwks");
    atls_store_free(s);
    made_free(&jwks);
    close_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_there_again),
        cmocka_unit_test(what_is_over_is_kept),
        cmocka_unit_test(floors_outlive_the_process),
        cmocka_unit_test(items_below_the_floors_are_not_used),
        cmocka_unit_test(lost_floors_are_told_and_rebuilt),
        cmocka_unit_test(damaged_files_are_passed_over),
        cmocka_unit_test(odd_files_are_passed_over),
        cmocka_unit_test(what_dead_writers_left_is_swept),
        cmocka_unit_test(only_a_directory_of_ones_own_will_do),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_could_not_be_written_is_written_later),
        cmocka_unit_test(a_lock_that_is_never_free_is_told),
        cmocka_unit_test(others_changes_are_seen),
        cmocka_unit_test(jwk_sets_are_kept_from_their_origin_only),
    };
    return cmocka_run_group_tests(tests, open_vendor, close_vendor);
}
