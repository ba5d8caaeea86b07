/* go_attestation_fields.h: the numbers of the fields of go-tpm-tools' messages, for reading and for writing them. */
#ifndef ATLS_BINDING_GO_ATTESTATION_FIELDS_H
#define ATLS_BINDING_GO_ATTESTATION_FIELDS_H

#define PCRS 32

/* attest.Attestation */
enum { AK_PUB = 1, QUOTES = 2, EVENT_LOG = 3, AK_CERT = 6, SEV_SNP = 8, TDX = 9 };
/* tpm.Quote, tpm.PCRs, an entry of its map */
enum { QUOTE = 1, RAW_SIG = 2, QUOTE_PCRS = 3 };
enum { PCRS_HASH = 1, PCRS_MAP = 2 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

#endif
