#include "wanted.h"

#include <inttypes.h>
#include <time.h>

#include "evidence_file.h"
#include "input.h"
#include "say.h"

enum { FORMAT = 0x400, REPORT_DATA, NONCE, ISSUER, AUDIENCE, NONCE_TEXT, LEEWAY, AT, OFFLINE };

const flag wanted_flags[] = {
    {FORMAT, "format", "NAME", "auto, sgx, tdx, snp, tpm, nitro, cca, jwt, cert or bundle"},
    {REPORT_DATA, "report-data", "HEX", "wanted in the signed 64-byte field (zeros follow)"},
    {NONCE, "nonce", "HEX",
     "wanted in the field made for it (SGX, TDX, SNP: the same as --report-data)"},
    {ISSUER, "issuer", "TEXT", "wanted as the issuer of a token"},
    {AUDIENCE, "audience", "TEXT", "wanted among the audiences of a token"},
    {NONCE_TEXT, "nonce-text", "TEXT", "wanted as the nonce claim of a token"},
    {LEEWAY, "leeway", "SECONDS", "tolerance for a token's times (60)"},
    {AT, "at", "RFC3339", "judge as of this time (now)"},
    {OFFLINE, "offline", NULL, "fetch nothing: what happens without --fetch too"},
    {0, NULL, NULL, NULL},
};

wanted wanted_default(void)
{
    return (wanted){.format = "auto", .at_s = (int64_t)time(NULL)};
}

static int wrong_argument(const char *option, const char *wants)
{
    (void)say_refusal(ATLS_E_USAGE, "usage.argument", "--%s wants %s", option, wants);
    return FLAGS_WRONG;
}

int wanted_take(wanted *w, int id, const char *arg)
{
    size_t len = 0;
    uint64_t number = 0;
    switch (id) {
    case FORMAT:
        w->format = arg;
        return evidence_format_is_known(arg)
                   ? FLAGS_END
                   : wrong_argument("format",
                                    "auto, sgx, tdx, snp, tpm, nitro, cca, jwt, cert or bundle");
    case REPORT_DATA:
        w->expected.has_report_data = input_hex(arg, w->expected.report_data, 64, &len);
        return w->expected.has_report_data ? FLAGS_END
                                           : wrong_argument("report-data", "1 to 64 bytes in hex");
    case NONCE:
        w->expected.has_nonce =
            input_hex(arg, w->expected.nonce, sizeof w->expected.nonce, &w->expected.nonce_len);
        return w->expected.has_nonce ? FLAGS_END
                                     : wrong_argument("nonce", "1 to 1024 bytes in hex");
    case LEEWAY:
        w->expected.has_leeway = input_number(arg, 0, 86400, &number);
        w->expected.leeway_s = (uint32_t)number;
        return w->expected.has_leeway ? FLAGS_END
                                      : wrong_argument("leeway", "seconds, at most 86400");
    case AT:
        w->is_past = true;
        return input_time(arg, &w->at_s) ? FLAGS_END
                                         : wrong_argument("at", "a time like 2025-07-04T10:00:00Z");
    case ISSUER:
        w->expected.issuer = arg;
        return FLAGS_END;
    case AUDIENCE:
        w->expected.audience = arg;
        return FLAGS_END;
    case NONCE_TEXT:
        w->expected.nonce_text = arg;
        return FLAGS_END;
    case OFFLINE:
        w->is_offline = true;
        return FLAGS_END;
    default:
        return 0;
    }
}
