/* docs/policy.schema.json takes what the parser takes: every key, its sizes and its words, both ways. And the
 * examples are policies. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "policy/parse.h"
#include "policy/policy.h"

static json_t *schema;

static const char *in_source(const char *path)
{
    static char whole[4096];
    const char *root = getenv("ATLS_SOURCE_ROOT");
    assert_non_null(root);
    (void)snprintf(whole, sizeof whole, "%s/%s", root, path);
    return whole;
}

static int load(void **state)
{
    (void)state;
    json_error_t error;
    schema = json_load_file(in_source("docs/policy.schema.json"), JSON_REJECT_DUPLICATES, &error);
    return schema != NULL ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(schema);
    return 0;
}

/* The schema of an object: the whole, or one of $defs. */
static json_t *definition(const char *name)
{
    json_t *def = strcmp(name, "policy") == 0
                      ? schema
                      : json_object_get(json_object_get(schema, "$defs"), name);
    if (!json_is_object(def) || !json_is_false(json_object_get(def, "additionalProperties"))) {
        fail_msg("the schema has no closed object %s", name);
    }
    return def;
}

static bool requires(const json_t *def, const char *key)
{
    const json_t *list = json_object_get(def, "required");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), key) == 0) {
            return true;
        }
    }
    return false;
}

static void every_key_stands_in_both(void **state)
{
    (void)state;
    const atls_policy_object *o;
    for (size_t i = 0; (o = atls_policy_object_at(i)) != NULL; i++) {
        const json_t *def = definition(o->name);
        const json_t *properties = json_object_get(def, "properties");
        assert_int_equal(json_object_size(properties), o->keys_n);
        for (size_t k = 0; k < o->keys_n; k++) {
            if (json_object_get(properties, o->keys[k].name) == NULL ||
                requires(def, o->keys[k].name) != o->keys[k].is_required) {
                fail_msg("%s.%s differs", o->name, o->keys[k].name);
            }
        }
    }
}

static void check_register(const json_t *properties, const atls_register *reg)
{
    const json_t *p = json_object_get(properties, reg->key);
    const char *type = json_string_value(json_object_get(p, "type"));
    if (type == NULL) {
        fail_msg("the schema lacks %s", reg->key);
    }
    if (reg->kind != ATLS_REGISTER_BYTES) {
        assert_string_equal(type, "integer");
        assert_int_equal(json_integer_value(json_object_get(p, "maximum")), UINT16_MAX);
        return;
    }
    char pattern[40];
    (void)snprintf(pattern, sizeof pattern, "^[0-9a-fA-F]{%zu}$", 2 * reg->size);
    assert_string_equal(json_string_value(json_object_get(json_object_get(p, "items"), "pattern")),
                        pattern);
}

static void every_register_stands_in_both(void **state)
{
    (void)state;
    size_t owners = 0;
    const json_t *owner = json_object_get(definition("owner"), "properties");
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        size_t n;
        char name[16];
        const atls_register *table = atls_registers((atls_tee)t, &n);
        if (table == NULL) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s_set", atls_tee_name((atls_tee)t));
        const json_t *properties = json_object_get(definition(name), "properties");
        assert_int_equal(json_object_size(properties), n);
        for (size_t i = 0; i < n; i++) {
            check_register(properties, &table[i]);
            if (table[i].owner_id != NULL) {
                check_register(owner, &table[i]);
                owners++;
            }
        }
    }
    assert_int_equal(json_object_size(owner), owners);
}

static bool is_listed(const json_t *list, const char *word)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), word) == 0) {
            return true;
        }
    }
    return false;
}

static const json_t *words_of(const char *object, const char *key)
{
    const json_t *p = json_object_get(json_object_get(definition(object), "properties"), key);
    return json_object_get(json_object_get(p, "items"), "enum");
}

static void every_word_stands_in_both(void **state)
{
    (void)state;
    const json_t *statuses = words_of("tcb", "statuses");
    assert_int_equal(json_array_size(statuses), ATLS_TCB_REVOKED - 1);
    for (int i = ATLS_TCB_UP_TO_DATE; i < ATLS_TCB_REVOKED; i++) {
        assert_true(is_listed(statuses, atls_tcb_status_name((atls_tcb_status)i)));
    }
    const json_t *bindings = words_of("workload", "bindings");
    size_t n = 0;
    for (; atls_policy_binding_name(n) != NULL; n++) {
        assert_true(is_listed(bindings, atls_policy_binding_name(n)));
    }
    assert_int_equal(json_array_size(bindings), n);
    const json_t *tees = words_of("workload", "tees");
    size_t known = 0;
    for (int t = ATLS_TEE_SGX; t < ATLS_TEES; t++) {
        size_t registers;
        if (atls_registers((atls_tee)t, &registers) != NULL) {
            known++;
            assert_true(is_listed(tees, atls_tee_name((atls_tee)t)));
        }
    }
    assert_int_equal(json_array_size(tees), known);
}

static void parse_file(const char *name)
{
    static char text[65536];
    char path[300];
    (void)snprintf(path, sizeof path, "examples/policies/%s", name);
    FILE *f = fopen(in_source(path), "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    atls_policy *p = NULL;
    atls_err err = {0};
    if (atls_policy_parse((atls_buf){(const uint8_t *)text, len}, &p, &err) != ATLS_OK) {
        fail_msg("%s: %s", name, err.msg);
    }
    char *explained = atls_policy_explain(p);
    assert_non_null(explained);
    atls_free(explained);
    atls_policy_free(p);
}

static void the_examples_are_policies(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *dir = opendir(in_source("examples/policies"));
    assert_non_null(dir);
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        const char *end = strrchr(e->d_name, '.');
        if (end != NULL && strcmp(end, ".json") == 0) {
            parse_file(e->d_name);
            n++;
        }
    }
    (void)closedir(dir);
    assert_true(n >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_stands_in_both),
        cmocka_unit_test(every_register_stands_in_both),
        cmocka_unit_test(every_word_stands_in_both),
        cmocka_unit_test(the_examples_are_policies),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
