#include "store/index_entry.h"

#define SOURCES 4
static const char *const sources[SOURCES] = {"fetched", "stapled", "imported", "shared"};

static void put(atls_writer *w, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        atls_writer_u8(w, (uint8_t)text[i]);
    }
}

static void put_hex(atls_writer *w, const uint8_t sha256[32])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        atls_writer_u8(w, (uint8_t)digits[sha256[i] / 16]);
        atls_writer_u8(w, (uint8_t)digits[sha256[i] % 16]);
    }
}

static void put_time(atls_writer *w, int64_t time_s)
{
    char text[24];
    size_t at = sizeof text - 1;
    int64_t left = time_s < 0 || time_s > ATLS_INDEX_TIME_MAX ? 0 : time_s;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    put(w, text + at);
}

void atls_index_lines_write(const atls_index_entry *entry, atls_writer *w)
{
    put(w, "atls-item 1\nkey ");
    put(w, entry->key);
    put(w, "\nobject ");
    put_hex(w, entry->sha256);
    put(w, "\nsource ");
    put(w, sources[(unsigned)entry->source < SOURCES ? (unsigned)entry->source : SOURCES - 1]);
    put(w, "\ntaken ");
    put_time(w, entry->taken_s);
    put(w, "\nunreachable ");
    put_time(w, entry->unreachable_since_s);
    put(w, "\nfrom ");
    put(w, entry->from);
    put(w, "\n");
}
