#include "evidence/log/event_type.h"

/* TCG PC Client Platform Firmware Profile, section 10.4.1. */
static const struct {
    uint32_t type;
    const char *name;
    bool hashes_data;
} types[] = {
    {0x00000000, "EV_PREBOOT_CERT", false},
    {0x00000001, "EV_POST_CODE", false},
    {0x00000002, "EV_UNUSED", false},
    {0x00000003, "EV_NO_ACTION", false},
    {0x00000004, "EV_SEPARATOR", true},
    {0x00000005, "EV_ACTION", true},
    {0x00000006, "EV_EVENT_TAG", true},
    {0x00000007, "EV_S_CRTM_CONTENTS", false},
    {0x00000008, "EV_S_CRTM_VERSION", true},
    {0x00000009, "EV_CPU_MICROCODE", false},
    {0x0000000a, "EV_PLATFORM_CONFIG_FLAGS", false},
    {0x0000000b, "EV_TABLE_OF_DEVICES", false},
    {0x0000000c, "EV_COMPACT_HASH", false},
    {0x0000000d, "EV_IPL", false},
    {0x0000000e, "EV_IPL_PARTITION_DATA", false},
    {0x0000000f, "EV_NONHOST_CODE", false},
    {0x00000010, "EV_NONHOST_CONFIG", false},
    {0x00000011, "EV_NONHOST_INFO", true},
    {0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS", false},
    {0x00000013, "EV_POST_CODE2", false},
    {ATLS_EV_DSTACK, "dstack runtime event", false},
    {0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG", true},
    {0x80000002, "EV_EFI_VARIABLE_BOOT", true},
    {0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION", false},
    {0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER", false},
    {0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER", false},
    {0x80000006, "EV_EFI_GPT_EVENT", true},
    {0x80000007, "EV_EFI_ACTION", true},
    {0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB", false},
    {0x80000009, "EV_EFI_HANDOFF_TABLES", false},
    {0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2", false},
    {0x8000000b, "EV_EFI_HANDOFF_TABLES2", false},
    {0x8000000c, "EV_EFI_VARIABLE_BOOT2", true},
    {0x8000000d, "EV_EFI_GPT_EVENT2", true},
    {ATLS_EV_HCRTM, "EV_EFI_HCRTM_EVENT", false},
    {0x800000e0, "EV_EFI_VARIABLE_AUTHORITY", true},
    {0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB", false},
    {0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG", false},
    {0x800000e3, "EV_EFI_SPDM_DEVICE_POLICY", false},
    {0x800000e4, "EV_EFI_SPDM_DEVICE_AUTHORITY", false},
};

const char *atls_event_type_name(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type) {
            return types[i].name;
        }
    }
    return NULL;
}

bool atls_event_type_hashes_data(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type) {
            return types[i].hashes_data;
        }
    }
    return false;
}
