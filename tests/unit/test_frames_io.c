/* Frames on their way out: what fits is queued, header first; what does not is our own mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channel/session.h"

static void frames_have_their_limits(void **state)
{
    (void)state;
    static const uint8_t types[] = {ATLS1_FRAME_REQUEST, ATLS1_FRAME_AUTHENTICATOR,
                                    ATLS1_FRAME_DATA, ATLS1_FRAME_ATTACHMENT};
    for (size_t i = 0; i < sizeof types; i++) {
        atls_session s = {0};
        atls_err err = {0};
        size_t limit = atls1_frame_limit(types[i]);
        uint8_t *bytes = calloc(1, limit + 1);
        assert_non_null(bytes);
        assert_int_equal(
            atls_frames_queue(&s, types[i], (atls_buf){bytes, limit}, (atls_buf){bytes, 1}, &err),
            ATLS_E_USAGE);
        assert_string_equal(err.check, "frame.too_large");
        assert_null(s.out_first);
        assert_int_equal(s.queued, 0);
        assert_int_equal(atls_frames_queue(&s, types[i], (atls_buf){bytes, limit - 1},
                                           (atls_buf){bytes, 1}, &err),
                         ATLS_OK);
        assert_non_null(s.out_first);
        assert_int_equal(s.out_first->len, ATLS1_FRAME_HEADER + limit);
        assert_int_equal(s.out_first->bytes[0], types[i]);
        free(s.out_first);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_have_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
