/* flags.h: a command's options as a table, which getopt_long reads and --help prints: both always agree. */
#ifndef ATLS_APPS_FLAGS_H
#define ATLS_APPS_FLAGS_H

typedef struct flag {
    int id; /* what flags_next returns; they differ within a command; a character: that short option */
    const char *name; /* without the dashes; NULL ends a table */
    const char *arg;  /* what stands for the argument in the help; NULL: takes none */
    const char *help;
} flag;

#define FLAG_TABLES 6

typedef struct flags {
    const char *usage; /* after "usage: " */
    const char *about; /* what the command does, wrapped at 100 columns */
    const flag *tables[FLAG_TABLES];
} flags;

enum {
    FLAGS_END = -1,  /* operands begin at argv[optind] */
    FLAGS_HELP = -2, /* --help was printed: return 0 */
    FLAGS_WRONG = -3 /* said on stderr: return 1 */
};

/* The next option of argv; its argument is in optarg. Before the first call of a command: flags_begin(). */
int flags_next(const flags *f, int argc, char **argv);
void flags_begin(void);

/* True with exactly one operand left, which is *out; else says so. */
int flags_one_operand(const flags *f, int argc, char **argv, const char **out);

#endif
