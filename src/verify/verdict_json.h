/* verdict_json.h: an object of JSON being filled; a member that could not be added makes the whole fail. */
#ifndef ATLS_VERIFY_VERDICT_JSON_H
#define ATLS_VERIFY_VERDICT_JSON_H

#include <jansson.h>

#include "claims/claims.h"

typedef struct verdict_object {
    json_t *json;
    bool failed;
} verdict_object;

void verdict_set(verdict_object *o, const char *name, json_t *value); /* takes value; NULL fails */
void verdict_set_text(verdict_object *o, const char *name, const char *text);
void verdict_set_hex(verdict_object *o, const char *name, const uint8_t *bytes, size_t len);
void verdict_set_number(verdict_object *o, const char *name, uint64_t n);
void verdict_set_time(verdict_object *o, const char *name, int64_t time_s);
/* Adds a finished object under name, or gives it up. */
void verdict_set_object(verdict_object *o, const char *name, verdict_object *member);
/* The same, but an empty one is left out. */
void verdict_set_filled(verdict_object *o, const char *name, verdict_object *member);

/* "claims" and what the log replayed; nothing for evidence that did not verify. */
void verdict_set_claims(verdict_object *o, const atls_claims *c);

#endif
