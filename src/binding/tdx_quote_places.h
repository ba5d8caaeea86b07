/* tdx_quote_places.h: where each numbered field of a tdx.QuoteV4 stands in the quote, for tdx_quote_message.h: one table for
 * reading and writing. */
#ifndef ATLS_BINDING_TDX_QUOTE_PLACES_H
#define ATLS_BINDING_TDX_QUOTE_PLACES_H

#include "base/reader.h"

/* Header, TD report, size, signature, key, certification data's head, QE report and its signature, size of QE data. */
#define ATLS_TDX_FIXED_LEN      1220
#define ATLS_TDX_QE_DATA_LEN_AT 1218u
#define ATLS_TDX_RTMRS          4
#define ATLS_TDX_PLACES         51

typedef enum atls_tdx_message {
    TDX_QUOTE,
    TDX_HEADER,
    TDX_BODY,
    TDX_SIGNED,
    TDX_CERTIFICATION,
    TDX_QE_CERTIFICATION,
    TDX_QE_REPORT,
    TDX_QE_DATA,
    TDX_PCK,
    TDX_NONE
} atls_tdx_message;

typedef enum atls_tdx_shape {
    TDX_NUMBER,
    TDX_BYTES,
    TDX_RTMR,
    TDX_MESSAGE,
    TDX_QE_DATA_BYTES,
    TDX_PCK_TYPE,
    TDX_PCK_SIZE,
    TDX_CHAIN,
    TDX_EXTRA
} atls_tdx_shape;

typedef struct atls_tdx_place {
    atls_tdx_message in;
    uint32_t number;
    atls_tdx_shape shape;
    atls_tdx_message child; /* of TDX_MESSAGE */
    size_t at, len;
} atls_tdx_place;

extern const atls_tdx_place atls_tdx_places[ATLS_TDX_PLACES];

typedef struct atls_tdx_quote {
    uint8_t fixed[ATLS_TDX_FIXED_LEN];
    atls_buf qe_data, chain, extra; /* behind it, with these two before the chain: */
    uint32_t pck_type, pck_size;
} atls_tdx_quote;

#endif
