/* A stream of frames: each header that is taken is within the limits of its type, and is written as the same bytes. */
#include <assert.h>
#include <string.h>

#include "binding/atls1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (size - at >= ATLS1_FRAME_HEADER) {
        uint8_t type = 0;
        uint32_t len = 0;
        atls_err err = {0};
        if (atls1_frame_header_parse(data + at, &type, &len, &err) != ATLS_OK) {
            assert(err.code == ATLS_E_INVALID && err.msg[0] != '\0');
            assert(strcmp(err.check, "frame.type") == 0 || strcmp(err.check, "frame.length") == 0);
            return 0;
        }
        assert(type >= ATLS1_FRAME_REQUEST && type <= ATLS1_FRAME_ATTACHMENT);
        assert(len <= atls1_frame_limit(type) && (len > 0 || type == ATLS1_FRAME_CLOSE));
        uint8_t again[ATLS1_FRAME_HEADER];
        atls1_frame_header_write(type, len, again);
        assert(memcmp(again, data + at, sizeof again) == 0);
        at += ATLS1_FRAME_HEADER;
        if (len > size - at) {
            return 0;
        }
        at += len;
    }
    return 0;
}
