/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files: which are taken, what they become, and nothing of them that is not seen. */
#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Programs that send files write under such a name and rename at the end. */
bool name_is_finished(const char *name)
{
    static const char *const unfinished[] = {".part", ".tmp", ".filepart", ".crdownload", "~"};
    size_t n = strlen(name);
    for (size_t i = 0; i < WF_COUNT(unfinished); i++) {
        size_t end = strlen(unfinished[i]);
        if (n >= end && strcasecmp(name + n - end, unfinished[i]) == 0)
            return false;
    }
    return name[0] != '.' && name[0] != '\0';
}

bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_BYTES || name[0] == '.' || !wf_is_utf8(name, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f || c == '/')
            return false;
        if (c == 0xc2 && (unsigned char)name[i + 1] < 0xa0) /* U+0080 to U+009F */
            return false;
    }
    return true;
}

/* A bad name is never written anywhere: its place is taken by a fingerprint, which has no format, so
 * that the file is refused like others that tell none. */
void name_make_safe(const char *name, char out[NAME_MAX_BYTES + 1])
{
    if (name_is_good(name)) {
        (void)snprintf(out, NAME_MAX_BYTES + 1, "%s", name);
        return;
    }
    uint8_t hash[WF_HASH_BYTES];
    char hex[2 * 8 + 1];
    wf_hash(name, strlen(name), NULL, 0, hash);
    wf_hex(hash, 8, hex);
    (void)snprintf(out, NAME_MAX_BYTES + 1, "bad-name-%s", hex);
}

void name_of_label(const char *name, unsigned number, char out[LABEL_MAX_BYTES + 1])
{
    const char *dot = strrchr(name, '.');
    int stem = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
    if (number <= 1)
        (void)snprintf(out, LABEL_MAX_BYTES + 1, "%s", name);
    else
        (void)snprintf(out, LABEL_MAX_BYTES + 1, "%.*s.%u%s", stem, name, number, name + stem);
}

bool name_of_work(const char *work, unsigned *out_number, const char **out_name)
{
    char *end = NULL;
    unsigned long number = strtoul(work, &end, 10);
    if (end == work || *end != '+' || number > 1000000 || !name_is_good(end + 1))
        return false;
    *out_number = (unsigned)number;
    *out_name = end + 1;
    return true;
}
