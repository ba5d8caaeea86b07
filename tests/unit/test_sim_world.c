#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world.h"

static atls_buf text_buf(const char *text)
{
    return (atls_buf){(const uint8_t *)text, strlen(text)};
}

static void worlds_that_do_not_exist(void **state)
{
    (void)state;
    atls_sim_world *w = NULL;
    atls_sim_world_fault fault;
    atls_err err = {0};
    assert_int_equal(atls_sim_world_new("abacus", 0, &w, &err), ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.world");
    assert_int_equal(atls_sim_world_load(text_buf("{\"world\":\"abacus\",\"when\":1}"), &w, &err),
                     ATLS_E_USAGE);
    assert_string_equal(err.check, "sim.world");
    assert_int_equal(atls_sim_world_load(text_buf("{"), &w, &err), ATLS_E_INVALID);
    assert_string_equal(err.check, "sim.state");
    assert_false(atls_sim_world_fault_at("abacus", 0, &fault));
}

static void a_blob_has_room_for_ten_parts(void **state)
{
    (void)state;
    atls_evidence_blob blob = {0};
    atls_err err = {0};
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(sim_blob_add(&blob, "quote", text_buf("bytes"), NULL), ATLS_OK);
    }
    assert_int_equal(blob.parts_n, 10);
    assert_int_equal(sim_blob_add(&blob, "quote", text_buf("bytes"), &err), ATLS_E_SYSTEM);
    assert_string_equal(err.check, "sim.parts");
    atls_evidence_blob_clear(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worlds_that_do_not_exist),
        cmocka_unit_test(a_blob_has_room_for_ten_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
