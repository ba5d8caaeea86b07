/* A stream of Cocos frames: each header that is taken is within our limit of its type, and is written as the same bytes. */
#include <assert.h>
#include <string.h>

#include "binding/cocos_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at = 0;
    uint8_t wanted = ATLS_COCOS_REQUEST;
    while (size - at >= ATLS_COCOS_HEADER) {
        uint32_t len = 0;
        uint8_t again[ATLS_COCOS_HEADER];
        atls_err err = {0};
        if (atls_cocos_frame_parse(data + at, wanted, &len, &err) != ATLS_OK) {
            assert(err.code == ATLS_E_INVALID && err.msg[0] != '\0' && len == 0);
            assert(strcmp(err.check, "cocos.frame.type") == 0 ||
                   strcmp(err.check, "cocos.frame.length") == 0);
            return 0;
        }
        assert(len > 0 && len <= (wanted == ATLS_COCOS_REQUEST ? ATLS_COCOS_REQUEST_MAX
                                                               : ATLS_COCOS_AUTHENTICATOR_MAX));
        atls_cocos_frame_write(wanted, len, again);
        assert(memcmp(again, data + at, sizeof again) == 0);
        at += ATLS_COCOS_HEADER;
        if (len > size - at) {
            return 0;
        }
        at += len;
        wanted = ATLS_COCOS_AUTHENTICATOR;
    }
    return 0;
}
