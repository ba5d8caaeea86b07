/* policy_convert.c: `atls policy convert`: policies of others into ours, and ours into theirs. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <atls/atls.h>

#include "flags.h"
#include "input.h"
#include "policy_commands.h"
#include "say.h"

enum { FROM = 0x100, TO };

static const flag own_flags[] = {
    {FROM, "from", "LANGUAGE", "the file is a policy of that language: write it as ours"},
    {TO, "to", "LANGUAGE", "the file is ours, of one workload: write it in that language"},
    {0, NULL, NULL, NULL},
};
static const flags convert_flags = {
    "atls policy convert --from LANGUAGE|--to LANGUAGE FILE|-",
    "Translates policies: atlas, dstack, flashbots, constellation. What the other language cannot say is\n"
    "refused, never left out; what differs in meaning is told on standard error. Exit status 0 or 1.",
    {own_flags},
};

typedef struct wanted {
    const char *from, *to, *path;
} wanted;

/* 0 and *done false: go on. */
static int read_flags(int argc, char **argv, wanted *w, bool *done)
{
    int id;
    *done = true;
    flags_begin();
    while ((id = flags_next(&convert_flags, argc, argv)) != FLAGS_END) {
        if (id == FLAGS_HELP) {
            return ATLS_OK;
        }
        if (id == FLAGS_WRONG) {
            return ATLS_E_USAGE;
        }
        *(id == FROM ? &w->from : &w->to) = optarg;
    }
    if (!flags_one_operand(&convert_flags, argc, argv, &w->path)) {
        return ATLS_E_USAGE;
    }
    if ((w->from == NULL) == (w->to == NULL)) {
        return say_refusal(ATLS_E_USAGE, "usage.operand", "one of --from and --to is wanted");
    }
    *done = false;
    return ATLS_OK;
}

static void print_notes(const char *notes)
{
    while (*notes != '\0') {
        const size_t len = strcspn(notes, "\n");
        fprintf(stderr, "note: %.*s\n", (int)len, notes);
        notes += notes[len] == '\0' ? len : len + 1;
    }
}

int policy_convert(int argc, char **argv)
{
    wanted w = {NULL, NULL, NULL};
    bool done = false;
    input in = {0};
    atls_err err = {0};
    char *text = NULL;
    char *notes = NULL;
    const int status = read_flags(argc, argv, &w, &done);
    if (done) {
        return status;
    }
    if (input_read(w.path, INPUT_JSON_MAX, ATLS_E_USAGE, "policy.size", &in, &err) != ATLS_OK) {
        return say_err(&err, NULL);
    }
    const atls_code rc = w.from != NULL
                             ? atls_policy_convert_from(w.from, input_buf(&in), &text, &notes, &err)
                             : atls_policy_convert_to(w.to, input_buf(&in), &text, &notes, &err);
    input_clear(&in);
    if (rc != ATLS_OK) {
        return say_err(&err, w.path);
    }
    print_notes(notes);
    printf("%s\n", text);
    atls_free(text);
    atls_free(notes);
    return ATLS_OK;
}
