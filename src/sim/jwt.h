/* jwt.h: tokens of a simulated verification service: right, or wrong in any one respect. */
#ifndef ATLS_SIM_JWT_H
#define ATLS_SIM_JWT_H

#include <jansson.h>
#include <openssl/evp.h>

#include <atls/sim.h>

/* What is done to a token's text, or its signature, once the rest stands. */
typedef enum sim_jwt_change {
    SIM_JWT_ASIS = 0,
    SIM_JWT_PADDING,      /* "=" at the end */
    SIM_JWT_SPARE_BITS,   /* in the last character */
    SIM_JWT_FOUR,         /* one segment more */
    SIM_JWT_NEWLINE,      /* at the end */
    SIM_JWT_PAYLOAD,      /* other claims than were signed */
    SIM_JWT_BIT,          /* one bit of the signature */
    SIM_JWT_DER,          /* ECDSA as X.509 has it */
    SIM_JWT_ZERO,         /* r and s */
    SIM_JWT_NO_SIGNATURE, /* an empty segment */
    SIM_JWT_SALT,         /* PSS with a salt of 32 bytes */
    SIM_JWT_STRANGER,     /* signed by a key that the header shows, and no one else knows */
    SIM_JWT_HMAC,         /* keyed with the RSA public key */
    SIM_JWT_TWICE_HEADER, /* a member of the header twice */
    SIM_JWT_TWICE_CLAIM   /* iss twice */
} sim_jwt_change;

typedef struct sim_jwt_edit {                      /* of the fault in the same place */
    void (*header)(json_t *header);                /* NULL: as it is */
    void (*claims)(json_t *claims, int64_t now_s); /* likewise */
    sim_jwt_change change;
} sim_jwt_edit;

extern const atls_sim_world_fault sim_jwt_faults[];
extern const sim_jwt_edit sim_jwt_edits[];
extern const size_t sim_jwt_faults_n;

/* The claims of one variant ("ear", ..., otherwise plain). NULL: no memory. */
json_t *sim_jwt_claims(const char *variant, const atls_sim_request *request, int64_t now_s);

#endif
