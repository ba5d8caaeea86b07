#include "verify/inspect.h"

#include "codec/json.h"
#include "codec/jws.h"

bool atls_inspect_is_token(atls_buf bytes)
{
    size_t dots = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        dots += bytes.ptr[i] == '.' ? 1 : 0;
    }
    return bytes.len > 2 && bytes.ptr[0] == 'e' && (bytes.ptr[1] == 'y' || bytes.ptr[1] == 'w') &&
           dots == 2;
}

/* JSON that the token's maker wrote, or why it cannot be read. */
static void put_json(json_t *to, const char *name, atls_buf text, const char *check)
{
    json_t *value = NULL;
    atls_err err = {0};
    if (atls_json_parse(text, ATLS_JWS_MAX_LEN, check, &value, &err) == ATLS_OK) {
        (void)json_object_set_new(to, name, value);
    } else {
        atls_inspect_error(atls_inspect_object(to, name), &err);
    }
}

static void put_times(json_t *to, const json_t *claims)
{
    static const char *const names[] = {"iat", "nbf", "exp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double s = json_number_value(json_object_get(claims, names[i]));
        if (s > 0.0 && s < 253402300800.0) {
            atls_inspect_time(to, names[i], (int64_t)s);
        }
    }
}

atls_code atls_inspect_token(json_t *to, atls_buf bytes, atls_err *err)
{
    atls_jws jws = {.space = NULL};
    atls_code rc = atls_jws_decode(bytes, &jws, err);
    if (rc != ATLS_OK) {
        return rc;
    }
    put_json(to, "header", jws.header, "token.header");
    put_json(to, "claims", jws.payload, "token.claims");
    json_t *times = atls_inspect_object(to, "times");
    put_times(times, json_object_get(to, "claims"));
    atls_inspect_hex(to, "signature", jws.signature);
    atls_jws_clear(&jws);
    return ATLS_OK;
}
