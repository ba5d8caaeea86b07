/* inspect.h: decoding for the eye: everything becomes one tree of JSON values, printed as JSON or as indented text.
 * Nothing here judges; a part that cannot be decoded becomes an "error" in its place. */
#ifndef ATLS_VERIFY_INSPECT_H
#define ATLS_VERIFY_INSPECT_H

#include <jansson.h>

#include <atls/inspect.h>

/* Setters. A failure for lack of memory leaves the member out. */
void atls_inspect_text(json_t *to, const char *name, const char *text);
void atls_inspect_hex(json_t *to, const char *name, atls_buf bytes);
void atls_inspect_number(json_t *to, const char *name, uint64_t v);
void atls_inspect_bool(json_t *to, const char *name, bool v);
void atls_inspect_time(json_t *to, const char *name, int64_t time_s);
void atls_inspect_error(json_t *to, const atls_err *err);  /* "error": sentence [check] */
json_t *atls_inspect_object(json_t *to, const char *name); /* lent; NULL: no memory */
json_t *atls_inspect_list(json_t *to, const char *name);
json_t *atls_inspect_item(json_t *list);

/* The tree as text: a line a value, two spaces a level. NULL: no memory. */
char *atls_inspect_render(const json_t *tree);

/* The rooms' parts. Each adds its members to `to`. */
atls_code atls_inspect_quote(json_t *to, atls_buf bytes, atls_err *err);
/* Documents of AWS Nitro, tokens of Arm CCA. */
bool atls_inspect_is_cose(atls_buf bytes);
atls_code atls_inspect_cose(json_t *to, atls_buf bytes, atls_err *err);
atls_code atls_inspect_certificates(json_t *to, const char *name, atls_buf pem_or_der,
                                    atls_err *err);
/* A JWT: its header and its claims, as they are. False: the bytes do not look like one. */
bool atls_inspect_is_token(atls_buf bytes);
atls_code atls_inspect_token(json_t *to, atls_buf bytes, atls_err *err);
/* A TPM's attestation or public area, or the report of Azure's paravisor, told apart by their bytes. */
bool atls_inspect_is_tpm(atls_buf bytes);
atls_code atls_inspect_tpm(json_t *to, atls_buf bytes, atls_err *err);
/* A part of evidence of type tpm or azure, by its name. False: there is nothing to decode in it. */
bool atls_inspect_tpm_part(json_t *to, const char *name, atls_buf bytes);
/* "evidence": what the first certificate carries, by the first dialect that finds something in it. Nothing: no member. */
void atls_inspect_carried(json_t *tree, atls_buf pem_or_der);
/* One part of evidence, by its type and its name. */
atls_code atls_inspect_part(json_t *part, const char *type, const char *name, atls_buf bytes,
                            atls_err *err);
void atls_inspect_crl(json_t *to, const char *name, atls_buf bytes);
void atls_inspect_collateral(json_t *to, const json_t *collateral);
void atls_inspect_tcb_info(json_t *to, const char *name, atls_buf text);
void atls_inspect_qe_identity(json_t *to, const char *name, atls_buf text);

/* AMD's: a report, with or without a certificate table behind it; a certificate table alone. */
bool atls_inspect_is_snp(atls_buf bytes);
atls_code atls_inspect_snp(json_t *to, atls_buf bytes, atls_err *err);
bool atls_inspect_is_cert_table(atls_buf bytes);
atls_code atls_inspect_cert_table(json_t *to, atls_buf bytes, atls_err *err);

/* Event logs: CCEL, a TPM's, dstack's JSON array, IMA lists. */
bool atls_inspect_is_log(atls_buf bytes);
atls_code atls_inspect_log(json_t *to, atls_buf bytes, atls_err *err);

#endif
