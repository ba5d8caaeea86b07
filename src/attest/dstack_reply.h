/* dstack_reply.h: what the agent of a dstack guest answers when asked for a quote. */
#ifndef ATLS_ATTEST_DSTACK_REPLY_H
#define ATLS_ATTEST_DSTACK_REPLY_H

#include <atls/attester.h>

#define DSTACK_REPLY_MAX ((size_t)2 * 1024 * 1024)

/* Of status 200: {"quote": hex, "event_log": text, ...}; of another: {"error": text}. Both APIs answer alike. The blob is
 * of type "tdx". "attest.dstack.refused", "attest.dstack.reply", "attest.dstack.platform" (no TDX). */
atls_code dstack_read_reply(long status, atls_buf body, atls_evidence_blob *out, atls_err *err);

#endif
