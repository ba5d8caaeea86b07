/* Attachments: the event log that did not fit into the authenticator. Only the one that was announced, once, and only
 * for evidence that has such a part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attacks/duel.h"
#include "crypto/digest.h"

static const uint8_t event_log[] = "[                                         ]"; /* no events */
#define LOG_LEN (sizeof event_log - 1)

/* Shows good evidence that announces an attachment of len bytes with the hash of the event log. */
static void announce(duel *d, uint32_t len, bool log_inside)
{
    evil *e = &d->evil;
    atls_report_data data = {0};
    atls_evidence_blob blob = {0};
    duel_until_shown(d);
    evil_report_data(e, (uint8_t)e->role, e->identity, data.wide);
    assert_int_equal(e->attester->attest(e->attester->self, &data, &blob, NULL), ATLS_OK);
    atls1_payload p = {.evidence = {.type = blob.type, .parts_n = log_inside ? 2 : 1},
                       .has_attachment = true,
                       .attachment_len = len};
    p.evidence.parts[0].name = "quote";
    p.evidence.parts[0].bytes = (atls_buf){blob.parts[0].bytes, blob.parts[0].len};
    p.evidence.parts[1].name = "event_log";
    p.evidence.parts[1].bytes = (atls_buf){event_log, LOG_LEN};
    const atls_buf log = {event_log, LOG_LEN};
    assert_int_equal(atls_digest(ATLS_SHA256, &log, 1, p.attachment_sha256, NULL), ATLS_OK);
    uint8_t *cmw = NULL;
    size_t cmw_len = 0;
    assert_int_equal(atls1_payload_encode(&p, &cmw, &cmw_len, NULL), ATLS_OK);
    evil_show_payload(e, (atls_buf){cmw, cmw_len});
    free(cmw);
    atls_evidence_blob_clear(&blob);
}

static void the_announced_one_is_taken_and_judged(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        duel d;
        duel_new(&d, (atls_role)role);
        announce(&d, LOG_LEN, false);
        for (int i = 0; i < 4; i++) {
            (void)rig_step(&d.victim);
        }
        assert_null(atls_session_get0_verdict(d.victim.session)); /* no verdict without it */
        evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, event_log, LOG_LEN);
        evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
        assert_int_equal(d.evil.frame[0], 0);
        duel_free(&d);
    }
}

static void other_bytes_are_refused(void **state)
{
    (void)state;
    uint8_t wrong[LOG_LEN];
    duel d;
    duel_new(&d, ATLS_SERVER);
    memcpy(wrong, event_log, LOG_LEN);
    wrong[LOG_LEN - 1] ^= 1;
    announce(&d, LOG_LEN, false);
    evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, wrong, LOG_LEN);
    duel_assert_ends(&d, ATLS_E_INVALID, "attachment.hash");
    duel_free(&d);
}

static void another_length_is_refused_before_it_is_read(void **state)
{
    (void)state;
    for (uint32_t len = LOG_LEN - 1; len <= LOG_LEN + 1; len += 2) {
        duel d;
        uint8_t header[ATLS1_FRAME_HEADER];
        duel_new(&d, ATLS_CLIENT);
        announce(&d, LOG_LEN, false);
        atls1_frame_header_write(ATLS1_FRAME_ATTACHMENT, len, header);
        evil_send_raw(&d.evil, header, sizeof header);
        duel_assert_ends(&d, ATLS_E_INVALID, "attachment.length");
        duel_free(&d);
    }
}

static void nothing_else_takes_its_place(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *check;
    } cases[] = {{ATLS1_FRAME_AUTHENTICATOR, "frame.not_due"},
                 {ATLS1_FRAME_DATA, "frame.early_data"}};
    for (size_t i = 0; i < 2; i++) {
        duel d;
        duel_new(&d, ATLS_SERVER);
        announce(&d, LOG_LEN, false);
        evil_verdict(&d.evil, 0);
        evil_send(&d.evil, cases[i].type, event_log, LOG_LEN);
        duel_assert_ends(&d, ATLS_E_INVALID, cases[i].check);
        duel_free(&d);
    }
}

static void a_second_one_is_not_due(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    announce(&d, LOG_LEN, false);
    evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, event_log, LOG_LEN);
    evil_expect(&d.evil, &d.victim, ATLS1_FRAME_VERDICT);
    evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, event_log, LOG_LEN);
    duel_assert_ends(&d, ATLS_E_INVALID, "frame.not_due");
    duel_free(&d);
}

static void an_event_log_inside_and_beside_is_refused(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    announce(&d, LOG_LEN, true);
    evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, event_log, LOG_LEN);
    duel_assert_ends(&d, ATLS_E_INVALID, "attachment.twice");
    duel_free(&d);
}

/* Evidence of a type without event log: there is no part that the attachment could be. */
static void evidence_without_an_event_log_has_none(void **state)
{
    (void)state;
    duel d;
    duel_new(&d, ATLS_SERVER);
    duel_until_shown(&d);
    atls1_payload p = {.evidence = {.type = "snp", .parts_n = 1},
                       .has_attachment = true,
                       .attachment_len = LOG_LEN};
    p.evidence.parts[0].name = "report";
    p.evidence.parts[0].bytes = (atls_buf){event_log, LOG_LEN};
    const atls_buf log = {event_log, LOG_LEN};
    assert_int_equal(atls_digest(ATLS_SHA256, &log, 1, p.attachment_sha256, NULL), ATLS_OK);
    uint8_t *cmw = NULL;
    size_t cmw_len = 0;
    assert_int_equal(atls1_payload_encode(&p, &cmw, &cmw_len, NULL), ATLS_OK);
    evil_show_payload(&d.evil, (atls_buf){cmw, cmw_len});
    free(cmw);
    evil_send(&d.evil, ATLS1_FRAME_ATTACHMENT, event_log, LOG_LEN);
    duel_assert_ends(&d, ATLS_E_INVALID, "attachment.parts");
    duel_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_announced_one_is_taken_and_judged),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(another_length_is_refused_before_it_is_read),
        cmocka_unit_test(nothing_else_takes_its_place),
        cmocka_unit_test(a_second_one_is_not_due),
        cmocka_unit_test(an_event_log_inside_and_beside_is_refused),
        cmocka_unit_test(evidence_without_an_event_log_has_none),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_sim_free();
    return failed;
}
