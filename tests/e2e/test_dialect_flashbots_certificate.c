/* Flashbots' attested certificates from end to end: both forms, both directions, and how long they serve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/rig.h"

static rig_options both_ways(void)
{
    return (rig_options){.client_asks = true,
                         .server_shows = true,
                         .client_shows = true,
                         .server_asks = true,
                         .bindings = "ra-tls-flashbots"};
}

static void goes_through(const rig_options *o)
{
    rig r;
    static const uint8_t text[] = "through";
    rig_new(&r, o);
    rig_open(&r);
    rig_send(&r.client, &r.server, text, sizeof text);
    rig_send(&r.server, &r.client, text, sizeof text);
    const atls_verdict *v = atls_session_get0_verdict(r.client.session);
    assert_true(atls_verdict_accepted(v));
    assert_string_equal(atls_verdict_format(v), "tdx");
    assert_non_null(strstr(atls_verdict_binding(v), "key"));
    rig_free(&r);
}

static void each_form_and_direction(void **state)
{
    (void)state;
    rig_options o = both_ways();
    goes_through(&o);
    o.options[0] = "form";
    o.options[1] = "2025";
    goes_through(&o);
    o = both_ways();
    o.client_shows = o.server_asks = false;
    o.options[0] = "name";
    o.options[1] = "example.test";
    goes_through(&o);
}

static void what_is_refused(void **state)
{
    (void)state;
    rig r;
    rig_options o = both_ways();
    o.client_shows = false; /* shows no certificate, or one without evidence */
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_POLICY, "session.no_evidence");
    rig_free(&r);
    o = both_ways();
    o.options[0] = "validity";
    o.options[1] = "10";
    rig_new(&r, &o);
    rig_handshake(&r);
    rig_assert_failed(&r.server, ATLS_E_USAGE, "flashbots.certificate.option");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_and_direction),
        cmocka_unit_test(what_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return failed;
}
