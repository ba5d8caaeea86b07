#include "base/rfc3339.h"

#include <string.h>
#include <time.h>

#define LAST_SECOND_OF_9999 253402300799

static int two(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool atls_time_parse(const char *text, size_t len, int64_t *out)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    if (len != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !is_digit : text[i] != shape[i]) {
            return false;
        }
    }
    int year = two(text) * 100 + two(text + 2);
    int month = two(text + 5);
    int day = two(text + 8);
    int hour = two(text + 11);
    int minute = two(text + 14);
    int second = two(text + 17);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    /* Days since 1970 by counting years, with the leap days of the years before this one. */
    int64_t y = year - 1;
    int64_t days = (y * 365 + y / 4 - y / 100 + y / 400) - 719162;
    for (int m = 1; m < month; m++) {
        days += days_in(year, m);
    }
    days += day - 1;
    *out = days * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

void atls_time_format(int64_t time_s, char out[ATLS_TIME_TEXT_LEN])
{
    struct tm tm;
    time_t t = (time_t)time_s;
    if (time_s < 0 || time_s > LAST_SECOND_OF_9999 || gmtime_r(&t, &tm) == NULL ||
        strftime(out, ATLS_TIME_TEXT_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        memcpy(out, "-", 2);
    }
}
