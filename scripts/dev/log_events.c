/* SPDX-License-Identifier: Apache-2.0 */
/* The page of log events: names and meanings of log.h, and what a person does about each. */
#include "pages.h"

#include "workflow/log.h"

/* clang-format off */
static const struct {
    const char *word, *meaning;
} events[] = {
#define X(name, word, meaning) {word, meaning},
    WF_LOG_EVENTS(X)
#undef X
};

/* The levels at which an event is written (tests/manual.py looks whether that is so), the keys that
 * its lines may have beside those of all, and the cure. */
static const struct {
    const char *levels, *keys, *todo;
} advice[WF_COUNT(events)] = {
    [WF_LOG_START_EVENT]       = {"info, warn, error", "", "warn, error: a setting is wrong: `msg` names file and line"},
    [WF_LOG_READY_EVENT]       = {"info", "", ""},
    [WF_LOG_STOP_EVENT]        = {"info, fatal", "rc", "fatal: `rc` and `msg` say why; config: mend the setting; corrupt, io: `hoso verify`; else it is started again"},
    [WF_LOG_TRANSITION_EVENT]  = {"info", "dossier, procedure, state, seq", ""},
    [WF_LOG_REFUSED_EVENT]     = {"warn, error", "rc, party, dossier", "warn: the sender must mend it; when many come of one `party`, talk to its owner. error: read `msg`; of the relay `hoso relay list`, of the courier `hoso courier list --state refused`"},
    [WF_LOG_RETRY_EVENT]       = {"warn", "rc", "nothing, unless it goes on: then what `msg` names is away or wrong"},
    [WF_LOG_DEAD_EVENT]        = {"error", "dossier, procedure, state, seq", "`hoso queue list --dead`, then retry, edit, skip or drop"},
    [WF_LOG_BATCH_EVENT]       = {"warn", "rc", "nothing; when it goes on, the disk or memory is short"},
    [WF_LOG_SPACE_EVENT]       = {"info, error", "rc", "make room on the disk, or raise `map_mib` and start anew"},
    [WF_LOG_READER_EVENT]      = {"warn", "", "nothing; a program that reads the store has died"},
    [WF_LOG_PARTIES_EVENT]     = {"info, error", "rc", "error: mend the file that `msg` names; until then the registry stays as it was"},
    [WF_LOG_PAPERS_EVENT]      = {"info, error", "rc", "error: the folder of papers cannot be read: its disk, its rights"},
    [WF_LOG_PROCEDURE_EVENT]   = {"info, error", "procedure, rc", "error: `msg` says what this program misses (a template, an activity); mend it or bring the program up to date, start it again, put the dead letters back"},
    [WF_LOG_FILE_EVENT]        = {"info, warn", "rc", "warn: tell the party; what is wrong stands in its `rejected` and `out`"},
    [WF_LOG_PARCEL_EVENT]      = {"info, warn", "dossier, rc", "warn: `hoso courier status`"},
    [WF_LOG_STRANGER_EVENT]    = {"warn", "", "somebody tries, or a party has an old key; when it goes on, close the port to that address"},
    [WF_LOG_CHILD_EVENT]       = {"info, error", "rc", "error: the lines of that process before its end say why; it is started again"},
    [WF_LOG_LINE_EVENT]        = {"info, warn, error", "", "warn: the line to the cell; error: `hoso relay status`"},
    [WF_LOG_WATCHDOG_EVENT]    = {"error", "", "nothing, once; when it comes again: a failing disk, or a defect to report"},
    [WF_LOG_SUPPRESSED_EVENT]  = {"warn", "", "find out what repeats itself; `log_rate` is the bound"},
    [WF_LOG_ARCHIVE_EVENT]     = {"debug, warn", "", "warn: recording has ended: was that meant? then make a backup"},
    [WF_LOG_DAMAGE_EVENT]      = {"error", "", "`hoso verify` names them; restore the last backup beside the cell and compare"},
    [WF_LOG_NOTE_EVENT]        = {"debug, info, error", "rc", "error: `msg` says what"},
};
/* clang-format on */

void print_log_events(struct wf_buf *out)
{
    wf_buf_text(out,
                "# Log events\n\n"
                "Made by `protocol-table --log-events` from `workflow/log.h`; do not edit.\n\n"
                "Every program writes one line per fact to standard error, with the keys in this "
                "order; where standard\nerror is the journal of systemd, the same goes there as "
                "fields (`HOSO_EVENT`, `HOSO_DOSSIER` ...).\nNames are part of the interface: "
                "none is ever changed. No line holds personal data.\n\n"
                "    ts=2026-11-23T14:30:01.204Z level=info service=routing event=transition "
                "dossier=... msg=\"...\"\n\n"
                "| key | holds |\n|---|---|\n"
                "| `ts` | when it was written |\n"
                "| `level` | fatal: the process ends; error: a person must act; warn: handled, "
                "look later; info; debug |\n"
                "| `service` | the worker or program |\n"
                "| `event` | what happened, see below |\n"
                "| `dossier`, `procedure`, `state` | which one, where it stands after it |\n"
                "| `seq` | number of the event in the journal |\n"
                "| `party` | who asked, by its name in the registry |\n"
                "| `rc` | an error code ([codes.md](codes.md)) |\n"
                "| `msg` | words for people; they may change |\n\n"
                "Keys without a value are left out.\n\n"
                "## Events\n\n"
                "| event | level | keys | what happened | what to do |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < WF_COUNT(events); i++) {
        bool is_known = advice[i].levels != NULL;
        wf_buf_printf(out, "| `%s` | %s | %s | %s | %s |\n", events[i].word,
                      is_known ? advice[i].levels : "**missing in scripts/dev/log_events.c**",
                      is_known ? advice[i].keys : "", events[i].meaning,
                      is_known ? advice[i].todo : "");
    }
}
