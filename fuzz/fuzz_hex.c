/* Hex and times: what is read is written again as it was (hex: in lower case). */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/rfc3339.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 512

static void hex_there_and_back(const uint8_t *data, size_t size)
{
    char text[2 * ROOM + 1];
    uint8_t bytes[ROOM];
    size_t len = 0;
    size_t take = size < ROOM ? size : ROOM;
    atls_hex_encode((atls_buf){data, take}, text);
    assert(strlen(text) == 2 * take);
    assert(atls_hex_decode(text, 2 * take, bytes, sizeof bytes, &len));
    assert(len == take && (take == 0 || memcmp(bytes, data, take) == 0));
    assert(take == 0 || !atls_hex_decode(text, 2 * take, bytes, take - 1, &len));
    assert(take == 0 || !atls_hex_decode(text, 2 * take - 1, bytes, sizeof bytes, &len));
}

static void text_as_hex(const char *data, size_t size)
{
    uint8_t bytes[ROOM];
    char text[2 * ROOM + 1];
    size_t len = 0;
    if (!atls_hex_decode(data, size, bytes, sizeof bytes, &len)) {
        return;
    }
    assert(2 * len == size);
    atls_hex_encode((atls_buf){bytes, len}, text);
    for (size_t i = 0; i < size; i++) {
        char lower = data[i] >= 'A' && data[i] <= 'F' ? (char)(data[i] - 'A' + 'a') : data[i];
        assert(text[i] == lower);
    }
}

static void text_as_time(const char *data, size_t size)
{
    int64_t t = -1;
    if (!atls_time_parse(data, size, &t)) {
        return;
    }
    char text[ATLS_TIME_TEXT_LEN];
    atls_time_format(t, text);
    assert(size == ATLS_TIME_TEXT_LEN - 1 && memcmp(text, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hex_there_and_back(data, size);
    text_as_hex((const char *)data, size);
    text_as_time((const char *)data, size);
    return 0;
}
