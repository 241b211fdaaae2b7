/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root at a cell of somebody else. What root would make there (a lock, a party's file, a store) the
 * cell's own workers could not open. So the command gives root up for good, before the first file of
 * the cell is opened, and works as the account that owns the folder. A folder that is not there yet
 * will be the owner's of the one that it is made in. Refused: chown of each file after it was made;
 * a command that breaks off would leave it undone, and one place would always be forgotten.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hoso.h"

/* Of the folder, else of the nearest one above it that is there. */
static int owner_of(const char *folder, struct stat *out)
{
    char path[4096];
    size_t length = strlen(folder);
    if (length == 0 || length >= sizeof(path))
        return -1;
    memcpy(path, folder, length + 1);
    while (stat(path, out) != 0) {
        while (length > 1 && path[length - 1] == '/')
            path[--length] = '\0';
        char *slash = strrchr(path, '/');
        if (errno != ENOENT || strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
            return -1;
        if (slash == NULL)
            (void)strcpy(path, ".");
        else
            slash[slash == path ? 1 : 0] = '\0';
        length = strlen(path);
    }
    return 0;
}

static int change(uid_t uid, gid_t gid, const char *name)
{
    int rc = name != NULL ? initgroups(name, gid) : setgroups(1, &gid);
    return rc == 0 && setgid(gid) == 0 && setuid(uid) == 0 ? 0 : -1;
}

int hoso_become_owner(struct hoso *h, const char *folder)
{
    struct stat is;
    if (geteuid() != 0 || owner_of(folder, &is) != 0 || is.st_uid == 0)
        return 0;
    const struct passwd *owner = getpwuid(is.st_uid);
    const char *name = owner != NULL ? wf_arena_strdup(h->arena, owner->pw_name) : NULL;
    if (change(is.st_uid, owner != NULL ? owner->pw_gid : is.st_gid, name) != 0)
        return wf_fail(&h->err, WF_E_CONFIG, "%s is of %s, whom root could not become: %s", folder,
                       name != NULL ? name : "another account", strerror(errno));
    (void)umask(007); /* run/ and parties/ are shared with the gate's group */
    h->acts_as = name != NULL ? name : "its owner";
    return 0;
}
