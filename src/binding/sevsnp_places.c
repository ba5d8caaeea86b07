#include "binding/sevsnp_places.h"

const atls_sevsnp_place atls_sevsnp_places[SEVSNP_FIELDS + 1] = {
    [SEVSNP_VERSION] = {0x000, 4, true},
    [2] = {0x004, 4, true},   /* guest_svn */
    [3] = {0x008, 8, true},   /* policy */
    [4] = {0x010, 16, false}, /* family_id */
    [5] = {0x020, 16, false}, /* image_id */
    [6] = {0x030, 4, true},   /* vmpl */
    [7] = {0x034, 4, true},   /* signature_algo */
    [8] = {0x038, 8, true},   /* current_tcb */
    [9] = {0x040, 8, true},   /* platform_info */
    [10] = {0x048, 4, true},  /* signer_info */
    [SEVSNP_REPORT_DATA] = {0x050, 64, false},
    [SEVSNP_MEASUREMENT] = {0x090, 48, false},
    [13] = {0x0c0, 32, false}, /* host_data */
    [14] = {0x0e0, 48, false}, /* id_key_digest */
    [15] = {0x110, 48, false}, /* author_key_digest */
    [16] = {0x140, 32, false}, /* report_id */
    [17] = {0x160, 32, false}, /* report_id_ma */
    [18] = {0x180, 8, true},   /* reported_tcb */
    [19] = {0x1a0, 64, false}, /* chip_id */
    [20] = {0x1e0, 8, true},   /* committed_tcb */
    [21] = {0x1e8, 1, true},   /* current_build */
    [22] = {0x1e9, 1, true},   /* current_minor */
    [23] = {0x1ea, 1, true},   /* current_major */
    [24] = {0x1ec, 1, true},   /* committed_build */
    [25] = {0x1ed, 1, true},   /* committed_minor */
    [26] = {0x1ee, 1, true},   /* committed_major */
    [27] = {0x1f0, 8, true},   /* launch_tcb */
    [SEVSNP_SIGNATURE] = {0x2a0, 512, false},
    [SEVSNP_CPUID] = {0x188, 3, true}, /* family, model, stepping; from version 3 on */
    [30] = {0x1f8, 8, true},           /* launch_mit_vector */
    [31] = {0x200, 8, true},           /* current_mit_vector */
};
