/* cocos_frame.h: the two frames at the start of a Cocos connection: u8 type, u32be length, payload. */
#ifndef ATLS_BINDING_COCOS_FRAME_H
#define ATLS_BINDING_COCOS_FRAME_H

#include "base/reader.h"

#define ATLS_COCOS_HEADER            5
#define ATLS_COCOS_FRAME_MAX         16777216 /* bytes: the format's own limit */
#define ATLS_COCOS_REQUEST_MAX       4096     /* ours, of what may come */
#define ATLS_COCOS_AUTHENTICATOR_MAX 131072

enum { ATLS_COCOS_REQUEST = 1, ATLS_COCOS_AUTHENTICATOR = 2 };

/* The header of the one frame that may come next, of type wanted (1 or 2). ATLS_E_INVALID "cocos.frame.type" (type 0, or
 * another than that), "cocos.frame.length" (0, above the format's limit, or above ours): both before any room is made. */
/*@ requires \valid_read(header + (0 .. 4)) && 1 <= wanted <= 2;
    requires \valid(len) && (err == \null || \valid(err)) && \separated(len, err);
    assigns *len, *err;
    ensures \result == ATLS_OK ==> 1 <= *len <= (wanted == 1 ? 4096 : 131072);
    ensures \result != ATLS_OK ==> *len == \old(*len); */
ATLS_MUST_USE atls_code atls_cocos_frame_parse(const uint8_t header[ATLS_COCOS_HEADER],
                                               uint8_t wanted, uint32_t *len, atls_err *err);

/*@ requires \valid(out + (0 .. 4));
    assigns out[0 .. 4]; */
void atls_cocos_frame_write(uint8_t type, uint32_t len, uint8_t out[ATLS_COCOS_HEADER]);

#endif
