/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many papers a party may have here that no dossier names: else one party could fill the disk of
 * all. Each whole paper that a party sends leaves an empty file in unnamed/<party>, made before the
 * paper is in its place; those that a dossier has come to name go when the party begins its next
 * one. So nothing is counted in memory, what a crash leaves is right, and a party whose dossiers
 * follow their papers has only a few of these files to be looked at.
 */
#include "store/papers.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

struct tally {
    uint64_t papers, bytes;
};

/* Counts the paper, or takes the file away that stands for it: it is named, or gone. */
static int count_one(const struct wf_papers *papers, int folder, const char *name,
                     wf_paper_named_fn *fn, void *context, struct tally *tally)
{
    uint8_t hash[WF_HASH_BYTES];
    char place[PAPER_PATH];
    uint64_t bytes = 0;
    if (!wf_paper_name(wf_str(name), hash))
        return 0;
    int rc = fn(context, hash);
    if (rc < 0)
        return rc;
    paper_place(hash, place);
    if (rc == 0 || !paper_is_file(papers, place, &bytes)) {
        (void)unlinkat(folder, name, 0);
        return 0;
    }
    tally->papers++;
    tally->bytes += bytes;
    return 0;
}

static int count(const struct wf_papers *papers, const char *path, wf_paper_named_fn *fn,
                 void *context, struct tally *tally, struct wf_error *err)
{
    DIR *dir = NULL;
    int rc = paper_open_folder(papers->folder, path, &dir, err);
    if (dir == NULL)
        return rc;
    for (const struct dirent *d = readdir(dir); rc == 0 && d != NULL; d = readdir(dir))
        rc = count_one(papers, dirfd(dir), d->d_name, fn, context, tally);
    (void)closedir(dir);
    return rc;
}

int wf_papers_room(struct wf_papers *papers, struct wf_str party,
                   const struct wf_paper_piece *piece, wf_paper_named_fn *fn, void *context,
                   struct wf_error *err)
{
    const struct wf_papers_options *most = &papers->options;
    uint8_t hash[WF_HASH_BYTES];
    char path[PAPER_PATH];
    struct tally tally = {0};
    if (party.len == 0 || !wf_paper_name(piece->paper, hash) ||
        wf_papers_named(papers, party, hash))
        return 0;
    int rc = paper_of_party(party, PAPER_INCOMING, hash, path, err);
    if (rc != 0 || paper_is_file(papers, path, NULL))
        return rc;
    rc = paper_of_party(party, PAPER_UNNAMED, NULL, path, err);
    if (rc == 0)
        rc = count(papers, path, fn, context, &tally, err);
    if (rc != 0)
        return rc;
    if (tally.papers < most->max_unnamed && piece->size <= most->max_unnamed_bytes &&
        tally.bytes <= most->max_unnamed_bytes - piece->size)
        return 0;
    return wf_fail_field(err, WF_E_FULL, "paper",
                         "%" PRIu64 " papers of this party, %" PRIu64 " MiB, are named by no "
                         "dossier: file their dossiers first (papers_unnamed: %" PRIu64
                         ", papers_unnamed_mib: %" PRIu64 ")",
                         tally.papers, tally.bytes >> 20, most->max_unnamed,
                         most->max_unnamed_bytes >> 20);
}
