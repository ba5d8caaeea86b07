/* collateral_show.c: `atls collateral show`: what the store has, and until when. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collateral_commands.h"
#include "input.h"
#include "output.h"
#include "say.h"

enum { JSON = 0x100, AT };

static const flag own_flags[] = {
    {AT, "at", "RFC3339", "as of that time"},
    {JSON, "json", NULL, "one JSON object on standard output"},
    {0, NULL, NULL, NULL},
};
static const flags show_flags = {
    "atls collateral show [--store DIR] [--json]",
    "Lists what the store has: what it is for, its number, since and until when, and where it is from. Exit\n"
    "status 3 when something in it is out of its time.",
    {own_flags, collateral_room_flags},
};

static const char *const sources[] = {
    [ATLS_ITEM_FETCHED] = "fetched",
    [ATLS_ITEM_STAPLED] = "stapled",
    [ATLS_ITEM_IMPORTED] = "imported",
    [ATLS_ITEM_SHARED] = "shared",
};

static const char *state_of(const atls_item_status *s, int64_t now_s)
{
    return s->next_update_s < now_s || s->expires_s < now_s ? "expired"
           : s->unreachable_since_s != 0                    ? "unreachable"
                                                            : "good";
}

static void print_hex(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%02x", bytes[i]);
    }
}

static void print_time_member(const char *name, int64_t s)
{
    char text[COLLATERAL_TIME_LEN];
    collateral_time_text(s, text);
    if (strcmp(text, "-") != 0) {
        printf(",\"%s\":\"%s\"", name, text);
    }
}

static void print_json_item(const atls_item_status *s, int64_t now_s)
{
    printf("{\"key\":");
    output_json_string(stdout, s->key);
    printf(",\"state\":\"%s\"", state_of(s, now_s));
    if (s->has_number) {
        printf(",\"number\":%llu", (unsigned long long)s->number);
    }
    print_time_member("issued", s->issued_s);
    print_time_member("next_update", s->next_update_s);
    print_time_member("expires", s->expires_s);
    print_time_member("taken", s->taken_s);
    print_time_member("unreachable_since", s->unreachable_since_s);
    printf(",\"source\":\"%s\",\"from\":", sources[s->source]);
    output_json_string(stdout, s->from);
    printf(",\"sha256\":\"");
    print_hex(s->sha256, sizeof s->sha256);
    printf("\",\"root_sha256\":\"");
    print_hex(s->root_sha256, sizeof s->root_sha256);
    printf("\",\"simulated\":%s}", s->simulated ? "true" : "false");
}

/* A chip's id is 128 digits: a person needs the ends. */
static void print_key(const char *key)
{
    const size_t len = strlen(key);
    if (len <= 44) {
        printf("%-44s", key);
    } else {
        printf("%.24s...%s", key, key + len - 17);
    }
}

static void print_line(const atls_item_status *s, int64_t now_s)
{
    char issued[COLLATERAL_TIME_LEN];
    char left[COLLATERAL_TIME_LEN];
    char number[24] = "-";
    const int64_t end = s->next_update_s < s->expires_s ? s->next_update_s : s->expires_s;
    collateral_time_text(s->issued_s, issued);
    collateral_span_text(end == INT64_MAX ? INT64_MAX : end - now_s, left);
    if (s->has_number) {
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)s->number);
    }
    print_key(s->key);
    printf("  %6s  %-20s  %-12s  %-11s  %s%s\n", number, issued, left, state_of(s, now_s), s->from,
           s->simulated ? " (simulated)" : "");
}

static int list(const collateral_room *room, bool json, int64_t now_s)
{
    atls_item_status s;
    char floor[COLLATERAL_TIME_LEN];
    int status = ATLS_OK;
    size_t n = 0;
    collateral_time_text(atls_store_clock_floor(room->store), floor);
    if (json) {
        printf("{\"items\":[");
    } else {
        printf("%-44s  %6s  %-20s  %-12s  %-11s  %s\n", "item", "number", "issued", "ends in",
               "state", "from");
    }
    for (; atls_store_at(room->store, n, &s); n++) {
        status = strcmp(state_of(&s, now_s), "expired") == 0 ? ATLS_E_COLLATERAL : status;
        if (json) {
            fputs(n > 0 ? "," : "", stdout);
            print_json_item(&s, now_s);
        } else {
            print_line(&s, now_s);
        }
    }
    if (json) {
        printf("],\"clock_floor\":\"%s\"}\n", floor);
    } else {
        printf("%zu item%s; no clock is right before %s\n", n, n == 1 ? "" : "s", floor);
    }
    return fflush(stdout) == 0
               ? status
               : say_refusal(ATLS_E_SYSTEM, "output.write", "the list could not be written");
}

int collateral_show(int argc, char **argv)
{
    collateral_room room = {0};
    bool json = false;
    int64_t now_s = (int64_t)time(NULL);
    atls_err err = {0};
    int id;
    flags_begin();
    while ((id = flags_next(&show_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP || id == FLAGS_WRONG) {
            return id == FLAGS_HELP ? ATLS_OK : ATLS_E_USAGE;
        }
        if (id == AT && !input_time(optarg, &now_s)) {
            return say_refusal(ATLS_E_USAGE, "usage.argument",
                               "--at wants a time like 2025-07-04T10:00:00Z");
        }
        json = json || id == JSON;
        (void)collateral_room_take(&room, id, optarg);
    }
    if (optind != argc) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "wanted is: %s", show_flags.usage);
    }
    if (collateral_room_open(&room, true, now_s, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    const int status = list(&room, json, now_s);
    collateral_room_close(&room);
    return status;
}
