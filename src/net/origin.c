/* KIND=URL as a person wrote it. What is taken here is put in front of every path that is asked for, so it is read
 * strictly: no blank, no fragment, and no host but the one that a person sees. */
#include "net/origin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define PCS_HOST   "api.trustedservices.intel.com"
#define KDS_HOST   "kdsintf.amd.com"
#define KDS_GAP_MS 10000u /* AMD's wish: one request in 10 s from an address */

static const char check[] = "fetch.origin";

/* The parts of "scheme://[user[:password]@]host[:port][/path]"; views of the text. */
typedef struct url_parts {
    bool is_https;
    atls_buf user, password, host, port;
    atls_buf rest; /* from the slash on */
} url_parts;

static atls_buf view(const char *from, const char *to)
{
    return (atls_buf){(const uint8_t *)from, (size_t)(to - from)};
}

static bool equals(atls_buf b, const char *text)
{
    return b.len == strlen(text) && strncasecmp((const char *)b.ptr, text, b.len) == 0;
}

static bool holds_only(atls_buf b, const char *allowed)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] == '\0' || strchr(allowed, b.ptr[i]) == NULL) {
            return false;
        }
    }
    return true;
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_host(atls_buf host)
{
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        return holds_only((atls_buf){host.ptr + 1, host.len - 2}, DIGITS "abcdefABCDEF:.");
    }
    return host.len > 0 && host.len <= 253 && host.ptr[0] != '-' &&
           holds_only(host, DIGITS LETTERS ".-_");
}

static bool is_port(atls_buf port)
{
    unsigned value = 0;
    if (port.len == 0 || port.len > 5 || !holds_only(port, DIGITS)) {
        return false;
    }
    for (size_t i = 0; i < port.len; i++) {
        value = value * 10u + (unsigned)(port.ptr[i] - '0');
    }
    return value >= 1 && value <= 65535;
}

/* 127.0.0.0/8 in four numbers: short forms are read in several ways. */
static bool is_loopback(atls_buf host)
{
    char text[16];
    unsigned a, b, c, d;
    int end = 0;
    if (equals(host, "localhost") || equals(host, "[::1]")) {
        return true;
    }
    if (host.len == 0 || host.len >= sizeof text || !holds_only(host, DIGITS ".")) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return sscanf(text, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &end) == 4 && text[end] == '\0' &&
           a == 127 && b <= 255 && c <= 255 && d <= 255;
}

static const char *find(const char *from, const char *end, char c)
{
    const char *at = memchr(from, c, (size_t)(end - from));
    return at == NULL ? end : at;
}

/* False: it is no URL that we take. */
static bool split_url(const char *url, url_parts *out)
{
    url_parts p = {.is_https = strncasecmp(url, "https://", 8) == 0};
    if (!p.is_https && strncasecmp(url, "http://", 7) != 0) {
        return false;
    }
    const char *at = url + (p.is_https ? 8 : 7);
    const char *slash = at + strcspn(at, "/?#\\");
    const char *host = at;
    const char *user_end = find(at, slash, '@');
    if (user_end != slash) {
        const char *colon = find(at, user_end, ':');
        p.user = view(at, colon);
        p.password = view(colon == user_end ? colon : colon + 1, user_end);
        host = user_end + 1;
    }
    const char *host_end = *host == '[' ? find(host, slash, ']') : find(host, slash, ':');
    host_end += *host == '[' && host_end != slash ? 1 : 0;
    p.host = view(host, host_end);
    if (host_end != slash) {
        p.port = view(host_end + 1, slash);
        if (*host_end != ':' || !is_port(p.port)) {
            return false;
        }
    }
    p.rest = view(slash, slash + strlen(slash));
    *out = p;
    return is_host(p.host) && (p.rest.len == 0 || p.rest.ptr[0] == '/');
}

/* What people write behind the host because other clients want it there; our paths begin with it. */
static atls_code drop_known_path(atls_origin *o, const char *kind, atls_err *err)
{
    static const char *const known[] = {"/sgx/certification/v4", "/tdx/certification/v4",
                                        "/vcek/v1"};
    static const char old[] = "/sgx/certification/v3";
    size_t len = strlen(o->base);
    while (len > 0 && o->base[len - 1] == '/') {
        o->base[--len] = '\0';
    }
    if (len > strlen(old) && strcmp(o->base + len - strlen(old), old) == 0) {
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "%s: version 3 of the service is not spoken; give the address without %s",
                        kind, old);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const size_t n = strlen(known[i]);
        if (len > n && strcmp(o->base + len - n, known[i]) == 0) {
            o->base[len - n] = '\0';
            break;
        }
    }
    return ATLS_OK;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '<' || *text == '>') {
            return false;
        }
    }
    return true;
}

/* As it was given, the password left out. */
static void name_origin(const char *text, const url_parts *p, atls_origin *o)
{
    const char *password = (const char *)p->password.ptr;
    if (p->password.len == 0) {
        (void)snprintf(o->name, sizeof o->name, "%s", text);
    } else {
        (void)snprintf(o->name, sizeof o->name, "%.*s%s", (int)(password - text), text,
                       password + p->password.len);
    }
}

static atls_code read_url(const char *text, const char *url, atls_origin *o, atls_err *err)
{
    url_parts p;
    if (strlen(url) >= sizeof o->base || !is_printable(url) || !split_url(url, &p)) {
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "an origin is KIND=https://HOST[:PORT][/PATH] of at most %zu characters; "
                        "this one is not",
                        sizeof o->base - 1);
    }
    name_origin(text, &p, o);
    if (!p.is_https && (o->kind == ATLS_ORIGIN_JWKS || !is_loopback(p.host))) {
        return ATLS_ERR(err, ATLS_E_USAGE, check, "%.100s: %s", o->name,
                        o->kind == ATLS_ORIGIN_JWKS
                            ? "a JWK set is a root of trust, and is fetched over https:// only"
                            : "http:// is for loopback addresses only; use https://");
    }
    const bool has_query = memchr(p.rest.ptr, '?', p.rest.len) != NULL;
    if (memchr(p.rest.ptr, '#', p.rest.len) != NULL || (has_query && o->kind != ATLS_ORIGIN_JWKS)) {
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "%.100s: the address of an origin has no query and no fragment", o->name);
    }
    (void)snprintf(o->base, sizeof o->base, "%s", url);
    o->gap_ms = o->kind == ATLS_ORIGIN_AMD && equals(p.host, KDS_HOST) ? KDS_GAP_MS : 0;
    o->is_pcs = o->kind == ATLS_ORIGIN_INTEL && equals(p.host, PCS_HOST);
    return o->kind == ATLS_ORIGIN_JWKS ? ATLS_OK : drop_known_path(o, o->name, err);
}

static atls_code read_unix(const char *text, const char *path, atls_origin *o, atls_err *err)
{
    if (path[0] == '\0' || strlen(path) >= sizeof o->unix_path || !is_printable(path)) {
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "a socket's path has 1 to %zu printable characters, no blank",
                        sizeof o->unix_path - 1);
    }
    (void)snprintf(o->name, sizeof o->name, "%s", text);
    (void)snprintf(o->base, sizeof o->base, "http://localhost");
    (void)snprintf(o->unix_path, sizeof o->unix_path, "%s", path);
    return ATLS_OK;
}

/* "jwks:ISSUER=https://...": an issuer is a URL too, and may have a '=' in it. */
static atls_code read_jwks(const char *text, atls_origin *o, atls_err *err)
{
    const char *issuer = text + strlen("jwks:");
    const char *end = strstr(issuer, "=http");
    if (end == NULL || end == issuer || (size_t)(end - issuer) >= sizeof o->issuer) {
        return ATLS_ERR(err, ATLS_E_USAGE, check,
                        "a JWK set's origin is jwks:ISSUER=https://..., the issuer as its tokens "
                        "name it, of at most %zu characters",
                        sizeof o->issuer - 1);
    }
    memcpy(o->issuer, issuer, (size_t)(end - issuer));
    o->issuer[end - issuer] = '\0';
    if (!is_printable(o->issuer)) {
        return ATLS_ERR(err, ATLS_E_USAGE, check, "an issuer is printable text without blanks");
    }
    return read_url(text, end + 1, o, err);
}

static atls_code read_origin(const char *text, atls_origin *o, atls_err *err)
{
    static const struct {
        const char *prefix;
        atls_origin_kind kind;
    } kinds[] = {{"intel=", ATLS_ORIGIN_INTEL},
                 {"pccs=", ATLS_ORIGIN_PCCS},
                 {"amd=", ATLS_ORIGIN_AMD},
                 {"jwks:", ATLS_ORIGIN_JWKS}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t len = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, len) != 0) {
            continue;
        }
        o->kind = kinds[i].kind;
        if (o->kind == ATLS_ORIGIN_JWKS) {
            return read_jwks(text, o, err);
        }
        return strncmp(text + len, "unix:", 5) == 0 ? read_unix(text, text + len + 5, o, err)
                                                    : read_url(text, text + len, o, err);
    }
    return ATLS_ERR(err, ATLS_E_USAGE, check,
                    "an origin is intel=URL, pccs=URL, amd=URL or jwks:ISSUER=URL");
}

atls_code atls_origin_parse(const char *text, atls_origin *out, atls_err *err)
{
    atls_origin o = {0};
    ATLS_TRY(read_origin(text, &o, err));
    *out = o;
    return ATLS_OK;
}
