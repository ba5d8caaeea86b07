#include "net/retry_after.h"

#include <string.h>

#include "base/reader.h"
#include "base/rfc3339.h"

#define DATE_LEN 29

/* Digits only; more than the maximum counts as the maximum, however many they are. */
static bool read_seconds(atls_buf value, uint32_t *out)
{
    uint32_t s = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return false;
        }
        s = s * 10 + (uint32_t)(value.ptr[i] - '0');
        s = s > ATLS_RETRY_AFTER_MAX_S ? ATLS_RETRY_AFTER_MAX_S : s;
    }
    *out = s;
    return value.len > 0;
}

static bool is(atls_buf part, const char *text)
{
    return part.len == strlen(text) && memcmp(part.ptr, text, part.len) == 0;
}

/* 1 to 12; 0: no month. */
static unsigned month_of(atls_buf part)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < 12; i++) {
        if (is(part, months[i])) {
            return i + 1;
        }
    }
    return 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; the day of the week is not compared. */
static bool read_date(atls_buf value, int64_t *out)
{
    char text[] = "YYYY-MM-DDThh:mm:ssZ";
    atls_reader r = atls_reader_of(value);
    if (value.len != DATE_LEN) {
        return false;
    }
    (void)atls_reader_view(&r, 3);
    const atls_buf comma = atls_reader_view(&r, 2);
    const atls_buf day = atls_reader_view(&r, 2);
    const atls_buf first = atls_reader_view(&r, 1);
    const unsigned month = month_of(atls_reader_view(&r, 3));
    const atls_buf second = atls_reader_view(&r, 1);
    const atls_buf year = atls_reader_view(&r, 4);
    const atls_buf third = atls_reader_view(&r, 1);
    const atls_buf clock = atls_reader_view(&r, 8);
    const atls_buf zone = atls_reader_view(&r, 4);
    if (!atls_reader_end(&r) || month == 0 || !is(comma, ", ") || !is(first, " ") ||
        !is(second, " ") || !is(third, " ") || !is(zone, " GMT")) {
        return false;
    }
    memcpy(text, year.ptr, 4);
    text[5] = (char)('0' + month / 10);
    text[6] = (char)('0' + month % 10);
    memcpy(text + 8, day.ptr, 2);
    memcpy(text + 11, clock.ptr, 8);
    return atls_time_parse(text, sizeof text - 1, out);
}

uint32_t atls_retry_after_read(atls_buf value, int64_t when_s)
{
    uint32_t seconds = 0;
    int64_t date = 0;
    if (read_seconds(value, &seconds)) {
        return seconds;
    }
    const int64_t now = when_s > 0 ? when_s : 0;
    if (!read_date(value, &date) || date <= now) {
        return 0;
    }
    return date - now > (int64_t)ATLS_RETRY_AFTER_MAX_S ? ATLS_RETRY_AFTER_MAX_S
                                                        : (uint32_t)(date - now);
}
