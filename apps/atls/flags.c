#include "flags.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

#define OPTIONS_MAX 96

/* -o FILE: an id that is a character; its name is that letter, and it takes an argument. */
static bool is_letter(const flag *o)
{
    return o->id < 256;
}

static void print_help(const flags *f)
{
    printf("usage: %s\n\n%s\n\noptions:\n", f->usage, f->about);
    for (size_t t = 0; t < FLAG_TABLES && f->tables[t] != NULL; t++) {
        for (const flag *o = f->tables[t]; o->name != NULL; o++) {
            char left[64];
            (void)snprintf(left, sizeof left, "%s%s%s%s", is_letter(o) ? "-" : "--", o->name,
                           o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
            printf("  %-28s %s\n", left, o->help);
        }
    }
    printf("  %-28s %s\n", "--help", "this text");
}

void flags_begin(void)
{
    optind = 0; /* glibc: start anew, with a new argv */
}

int flags_next(const flags *f, int argc, char **argv)
{
    struct option options[OPTIONS_MAX + 1] = {{0}};
    char letters[2 * OPTIONS_MAX + 8] = ":h";
    size_t n = 0;
    size_t letters_n = strlen(letters);
    for (size_t t = 0; t < FLAG_TABLES && f->tables[t] != NULL; t++) {
        for (const flag *o = f->tables[t]; o->name != NULL && n < OPTIONS_MAX - 1; o++) {
            if (is_letter(o)) {
                letters[letters_n++] = (char)o->id;
                letters[letters_n++] = ':';
                continue;
            }
            options[n++] = (struct option){
                o->name, o->arg != NULL ? required_argument : no_argument, NULL, o->id};
        }
    }
    options[n] = (struct option){"help", no_argument, NULL, 'h'};

    opterr = 0;
    int id = getopt_long(argc, argv, letters, options, NULL);
    if (id == -1) {
        return FLAGS_END;
    }
    if (id == 'h') {
        print_help(f);
        return FLAGS_HELP;
    }
    if (id == ':' || id == '?') {
        const char *what = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        (void)say_refusal(
            ATLS_E_USAGE, "usage.option", "%s: '%s' %s; usage: %s", argv[0], what,
            id == ':' ? "needs an argument" : "is not an option here, or is ambiguous", f->usage);
        return FLAGS_WRONG;
    }
    return id;
}

int flags_one_operand(const flags *f, int argc, char **argv, const char **out)
{
    if (argc - optind != 1) {
        (void)say_refusal(ATLS_E_USAGE, "usage.operand",
                          "%d operands, where 1 is wanted; usage: %s", argc - optind, f->usage);
        return 0;
    }
    *out = argv[optind];
    return 1;
}
