/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of verbs: words, arguments, options and manual; nothing else names them. */
#include "hoso.h"

#define ACTOR OPT_BY, OPT_ROLE, OPT_TIMEOUT
#define DEAD_FILTER                                                                                \
    OPT_ALL, OPT_SERVICE, OPT_ACTIVITY, OPT_PROCEDURE, OPT_SITE, OPT_ERROR, OPT_OLDER, OPT_MAX,    \
        OPT_DRY_RUN

/* clang-format off */
const struct hoso_verb hoso_verbs[] = {
    {"init", "FOLDER", 1, 1, "make a cell: settings, store, procedures",
     "Copies the configuration files that are missing into FOLDER, makes its store and its run "
     "folder, and installs definitions. What is there already is kept.\n\n"
     "  hoso init /var/lib/hoso/vi-thanh --procedures procedures\n"
     "  hoso init cell --training 86400:2026-11-23T08:00   # one day a second",
     hoso_init, {OPT_NAME, OPT_TRAINING, OPT_CONFIG, OPT_PROCEDURES}},
    {"run", "", 0, 0, "run the cell's five workers",
     "Starts the workers, says so when all of them answer, and starts again what dies. A worker "
     "that holds the store's write lock longer than `watchdog` is ended. SIGTERM or Ctrl-C stops "
     "all of them in good order. With --check it ends before the first worker: 0 where nothing "
     "stands in its way; adapters, which have a --check of their own, are named.\n\n  hoso run --cell /var/lib/hoso/vi-thanh",
     hoso_run, {OPT_CHECK, OPT_CLOCK_OK, OPT_WORKERS}},
    {"status", "", 0, 0, "is all well? workers, queues, space",
     "Ends with 0 when all is well, with 1 when something needs a person; says what. At a station: is "
     "the line up, what waits?",
     hoso_status, {OPT_CELL}},
    {"top", "", 0, 0, "the same as a live view",
     "Queues, processes, what needs a person, gate and bridge, subscribers; drawn anew every two "
     "seconds. Keys: q quit, h help, Tab choose a pane, arrows see its other rows, s sort it by the "
     "next column, p pause, + and - change the interval, space look now. Without a terminal to "
     "draw on there is `hoso status`. Colours only where the terminal has them and NO_COLOR is "
     "not set.",
     hoso_top, {OPT_CELL}},
    {"follow", "", 0, 0, "events of dossiers as they happen",
     "One line for each event of the journal, in its order, none left out and none twice, until "
     "Ctrl-C; workers may come and go meanwhile. With --json an object a line, whose seq + 1 is "
     "the --from of the next time. PATTERN names events as definitions do: deadline is "
     "deadline.examine too. Personal data is masked unless --unmask is given.\n\n"
     "  hoso follow --dossier 000.00.13.H30-261123-0001 --from 1\n"
     "  hoso follow --event 'deadline error' --site 000.00.13.H30\n"
     "  hoso follow --from 371 --json | jq -r .dossier",
     hoso_follow, {OPT_DOSSIER, OPT_PROCEDURE, OPT_SITE, OPT_EVENT, OPT_FROM, OPT_UNMASK}},

    {"submit", "FILE|-", 1, 1, "file a dossier",
     "FILE holds a JSON object: procedure, channel, site, by, role, fields; papers (a list of "
     "{id, kind, copies, file}), agent {full_name, citizen_id, phone, mandate} and partial (the other "
     "papers follow) where wanted. Prints the dossier's code.\n\n"
     "  echo '{\"procedure\": \"1.004873\", \"channel\": \"post\", \"site\": \"000.00.13.H30\",\n"
     "         \"by\": \"teller-07\", \"role\": \"postal_worker\",\n"
     "         \"fields\": {\"full_name\": \"Nguyễn Văn An\"}}' \\\n"
     "      | hoso submit -\n"
     "\nWith --id a command that broke off can be given again without filing twice.",
     hoso_submit, {ACTOR, OPT_ID}},
    {"event", "CODE EVENT", 2, 2, "tell that something happened to a dossier",
     "  hoso event 000.00.13.H30-261123-0001 withdraw \\\n"
     "        --by counter-2 --role postal_worker",
     hoso_event, {OPT_DATA, ACTOR, OPT_ID}},
    {"show", "CODE", 1, 1, "one dossier with fields and papers",
     "Personal data is masked unless --unmask is given.",
     hoso_show, {OPT_UNMASK}},
    {"list", "", 0, 0, "dossiers by state, site, due date and more",
     "  hoso list --overdue\n  hoso list --procedure 1.004873 --state examine\n"
     "  hoso list --due-before 2026-12-01 --site 000.00.13.H30",
     hoso_list, {OPT_STATE, OPT_PROCEDURE, OPT_SITE, OPT_DUE_BEFORE, OPT_OVERDUE, OPT_OPEN,
                 OPT_AFTER, OPT_MAX}},
    {"history", "CODE", 1, 1, "all that happened to a dossier, in order", NULL,
     hoso_history, {OPT_UNMASK}},

    {"paper put", "FILE", 1, 1, "send a scan; prints its name",
     "The name, its hash, is what the dossier's papers carry as `file`. A command that broke off is "
     "given again and goes on where it was. A scan that no dossier names is kept for "
     "`papers_keep`.\n\n"
     "  hoso paper put identity.pdf",
     hoso_paper_put, {OPT_TIMEOUT}},
    {"paper get", "CODE PAPER", 2, 2, "fetch a scan of a dossier",
     "  hoso paper get 000.00.13.H30-261123-0001 HASH --output identity.pdf",
     hoso_paper_get, {OPT_OUTPUT, OPT_TIMEOUT}},

    {"task list", "", 0, 0, "open tasks", "  hoso task list --activity verification.review\n"
     "  hoso task list --dossier 000.00.13.H30-261123-0001    # whom does it wait for?",
     hoso_task_list, {OPT_ACTIVITY, OPT_TO, OPT_DOSSIER, OPT_SERVICE, OPT_UNMASK, OPT_MAX}},
    {"task claim", "ACTIVITY", 1, 1, "take the next task of an activity",
     "Prints the task's number and token, which complete, extend, progress and fail ask for. "
     "--json gives the task whole, personal data too.\n\n"
     "  hoso task claim verification.review --to 000.00.13.H30 \\\n"
     "        --by an --role civil_servant",
     hoso_task_claim, {OPT_TO, ACTOR, OPT_LEASE, OPT_WAIT, OPT_MAX, OPT_UNMASK}},
    {"task complete", "TASK TOKEN RESULT", 3, 3, "hand in the result, a JSON object",
     "  hoso task complete 12 3 '{\"verdict\": \"approve\"}' --by an",
     hoso_task_complete, {OPT_BY, OPT_TIMEOUT, OPT_ID}},
    {"task extend", "TASK TOKEN", 2, 2, "keep the lease for longer", NULL,
     hoso_task_extend, {OPT_LEASE, OPT_TIMEOUT}},
    {"task progress", "TASK TOKEN DATA", 3, 3, "tell news of a task that goes on",
     "  hoso task progress 15 1 '{\"event\": \"in_transit\"}' --by courier-3",
     hoso_task_progress, {OPT_BY, OPT_TIMEOUT, OPT_ID}},
    {"task fail", "TASK TOKEN REASON", 3, 3, "give a task back", NULL,
     hoso_task_fail, {OPT_BY, OPT_RETRY, OPT_FINAL, OPT_TIMEOUT, OPT_ID}},

    {"procedure list", "", 0, 0, "installed versions and their open dossiers", NULL,
     hoso_procedure_list, {OPT_CELL}},
    {"procedure check", "FILE...", 1, -1, "prove definitions sound",
     "Messages read file:line: what: why: how to mend. Outside a cell the roles, sites and "
     "templates delivered with the program are taken.",
     hoso_procedure_check, {OPT_CONFIG}},
    {"procedure install", "FILE...", 1, -1, "install definitions: all of them or none",
     "A version that is installed never changes: raise `version` for a new text. Dossiers stay on "
     "the version by which they were received: how many and where is shown before it is installed. "
     "Workers take new versions up by themselves.\n\n"
     "  hoso procedure install 1.004873.cfg --dry-run",
     hoso_procedure_install, {OPT_BY, OPT_DRY_RUN}},
    {"procedure show", "CODE [VERSION]", 1, 2, "papers and fields of a definition", NULL,
     hoso_procedure_show, {OPT_SOURCE}},
    {"procedure retire", "CODE VERSION", 2, 2, "keep new dossiers off a version",
     "New dossiers take the newest version that is still active and in force; those that run on it "
     "stay. `procedure show` tells who did it and why.\n\n"
     "  hoso procedure retire 1.004873 2 --reason 'wrong fee' --by head-1",
     hoso_procedure_retire, {OPT_REASON, OPT_BY}},
    {"procedure activate", "CODE VERSION", 2, 2, "take a retired version back into use", NULL,
     hoso_procedure_activate, {OPT_REASON, OPT_BY}},
    {"procedure migrate", "CODE FROM TO", 3, 3, "move open dossiers to another version",
     "Work, deadlines and due dates go on; a dossier that the other version cannot carry on where "
     "it stands stays, and the answer says why (exit code 1). Given again, the command goes on "
     "with those that are left.\n\n"
     "  hoso procedure migrate 1.004873 1 2 --map examine=study --dry-run\n"
     "  hoso procedure migrate 1.004873 1 2 --map examine=study --by head-1 \\\n"
     "        --reason 'Decision 15/2027'",
     hoso_procedure_migrate, {OPT_MAP, OPT_REASON, OPT_BY, OPT_DRY_RUN, OPT_BATCH}},

    {"procedure new", "CODE", 1, 1, "print a definition to begin from",
     "It passes `procedure check` as it is; what is to be settled is marked DECIDE.\n\n"
     "  hoso procedure new 1.009999 --title-vi 'Tên' --title-en 'Name' --output 1.009999.cfg",
     hoso_procedure_new, {OPT_TITLE_VI, OPT_TITLE_EN, OPT_OUTPUT}},
    {"procedure graph", "FILE|CODE", 1, 1, "draw the statechart of a definition",
     "  hoso procedure graph 1.004873 --svg --counts --lang vi --output chart.svg",
     hoso_procedure_graph, {OPT_SVG, OPT_DOT, OPT_COUNTS, OPT_OUTPUT, OPT_CONFIG}},
    {"procedure explain", "FILE|CODE", 1, 1, "a page that clerks can read",
     "  hoso procedure explain 1.004873 --lang vi",
     hoso_procedure_explain, {OPT_OUTPUT, OPT_CONFIG}},
    {"procedure diff", "A B", 2, 2, "what B has otherwise than A",
     "A and B are files, or codes of installed definitions: 1.004873, or 1.004873@2 for a version. "
     "Ends with 0 when they say the same, with 1 when not.",
     hoso_procedure_diff, {OPT_CONFIG}},
    {"procedure simulate", "FILE|CODE", 1, 1, "walk through a definition on paper",
     "Virtual time, the real chart and calendar; nothing is stored or sent. With --events a list of "
     "{\"event\", \"data\", \"after\", \"invoke\"} says what happens, or an object {fields, "
     "channel, site, start, events}; else chance does. Ends with 1, and tells what it waits for, "
     "when no final state was reached. With --site by that site's hours.\n\n"
     "  echo '[{\"event\": \"withdraw\", \"after\": \"3 working hours\"}]' |\n"
     "    hoso procedure simulate 1.004873 --events -\n"
     "  hoso procedure simulate new.cfg --random 1000 --seed 1",
     hoso_procedure_simulate,
     {OPT_EVENTS, OPT_RANDOM, OPT_SEED, OPT_SITE, OPT_START, OPT_CONFIG}},
    {"procedure replay", "FILE|CODE", 1, 1, "real dossiers walked through a definition",
     "Gives the events of each dossier of the procedure, as the journal has them, to FILE's chart "
     "and names those that would stand or end otherwise, with the event at which the ways part. "
     "Nothing is written. Ends with 0 when all are the same, with 1 when not.\n\n"
     "  hoso procedure replay new.cfg\n"
     "  hoso procedure replay new.cfg --procedure 1.004873 --max 0 --json",
     hoso_procedure_replay, {OPT_PROCEDURE, OPT_MAX}},
    {"procedure import", "FILE.scxml", 1, 1, "make a definition from an SCXML document",
     "Reads what `export procedure` writes; what a definition cannot say is refused with its line.",
     hoso_procedure_import, {OPT_OUTPUT}},
    {"export procedure", "FILE|CODE", 1, 1, "a definition as SCXML document",
     "  hoso export procedure 1.004873 --format scxml --output 1.004873.scxml",
     hoso_export_procedure, {OPT_FORMAT, OPT_OUTPUT, OPT_CONFIG}},
    {"export journal", "", 0, 0, "the journal for process mining: XES or CSV",
     "Who did what when, without any dossier's data. XES is IEEE 1849-2016.\n\n"
     "  hoso export journal --format xes --output journal.xes",
     hoso_export_journal, {OPT_FORMAT, OPT_FROM, OPT_OUTPUT}},

    {"chart run", "DEFINITION [EVENTS]", 1, 2, "run a bare statechart in virtual time",
     "DEFINITION holds chart: { initial, data, states }. EVENTS (a file, or -) holds a JSON list "
     "of {\"name\", \"data\", \"after_ms\"}: time moves on by after_ms, then the event is taken. "
     "Prints the active states as one JSON list a line: after the start and after each event; "
     "with --settle once more at the end. Needs no cell.\n\n"
     "  hoso chart run traffic_light.cfg events.json --settle",
     hoso_chart_run, {OPT_SETTLE}},

    {"party add", "NAME", 1, 1, "register a system that comes from outside",
     "Writes CELL/parties/NAME.cfg, and the party's key file (--output, else NAME.key here, mode "
     "0600), which holds its secret key and what it needs to connect. It is written this once: give "
     "it to the party and delete it. With --public-key the party keeps its secret to itself.\n\n"
     "  hoso party add one-stop-7 --kind counter --organisation 'One-stop section 7' \\\n"
     "        --sites 000.00.13.H30 --roles postal_worker,civil_servant --submit '*' \\\n"
     "        --activities verification.review,return.deliver",
     hoso_party_add, {OPT_KIND, OPT_ORGANISATION, OPT_SITES, OPT_ADDRESSES, OPT_ROLES, OPT_SUBMIT,
                      OPT_ACTIVITIES, OPT_JOURNAL, OPT_RELAY, OPT_RATE, OPT_PUBLIC_KEY, OPT_ENDPOINT,
                      OPT_OUTPUT}},
    {"party list", "", 0, 0, "registered parties", NULL, hoso_party_list, {OPT_CELL}},
    {"party show", "NAME", 1, 1, "what a party may see and do", NULL, hoso_party_show, {OPT_CELL}},
    {"party revoke", "NAME", 1, 1, "shut a party out",
     "Its requests are refused from the next second on, on living connections as well.",
     hoso_party_revoke, {OPT_CELL}},
    {"party rotate", "NAME", 1, 1, "a new key beside the old one",
     "Both are let in until `hoso party rotate NAME --final` takes the old one away.",
     hoso_party_rotate, {OPT_ENDPOINT, OPT_OUTPUT, OPT_FINAL}},
    {"party token", "NAME", 1, 1, "a new token for the HTTP bridge",
     "Prints the token, once; the party's file gets its hash. The newest two tokens of a party "
     "hold, so that it can change over. The bridge takes it up within a second.",
     hoso_party_token, {OPT_CELL}},
    {"party gate-key", "", 0, 0, "the gate's public key, made if missing", NULL,
     hoso_party_gate_key, {OPT_CELL}},

    {"relay init", "FOLDER", 1, 1, "make a station, whose line comes and goes",
     "Copies configuration, definitions and the key file that `hoso party add NAME --relay` wrote at "
     "the cell. `hoso run --cell FOLDER` then runs the station; `hoso submit` and all other clients "
     "work with it as with a cell (docs/relay.md).\n\n"
     "  hoso relay init /var/lib/hoso/cang-long --key cang-long.key --procedures procedures",
     hoso_relay_init, {OPT_KEY, OPT_NAME, OPT_CONFIG, OPT_PROCEDURES}},
    {"relay status", "", 0, 0, "a station: is the line up, what waits?",
     "`hoso status` in a station's folder; elsewhere it says that this is no station.",
     hoso_relay_status, {OPT_CELL}},
    {"relay list", "", 0, 0, "hand-offs that wait or were refused",
     "With --all also those that the cell has taken, with both codes.",
     hoso_relay_list, {OPT_ALL, OPT_MAX}},
    {"relay show", "NUMBER|CODE", 1, 1, "one hand-off",
     "Personal data is masked unless --unmask is given.", hoso_relay_show, {OPT_UNMASK}},
    {"relay drop", "NUMBER|CODE", 1, 1, "a refused hand-off has been seen to",
     "Takes it off the list of refused ones and wipes its content.\n\n"
     "  hoso relay drop 17 --reason 'filed anew as 000.00.13.H30-261124-0007'",
     hoso_relay_drop, {OPT_REASON, OPT_BY}},
    {"courier status", "", 0, 0, "parcels at the courier: is all well?",
     "A look into the book of hoso-courier (docs/courier.md). Ends with 1 when something needs a "
     "person; says what.",
     hoso_courier_status, {OPT_CELL}},
    {"courier list", "", 0, 0, "orders at the courier, newest first",
     "  hoso courier list --state refused\n\n"
     "States: waiting, ordered, refused, cancelling, cancelled, stray, over.",
     hoso_courier_list, {OPT_STATE, OPT_MAX}},

    {"queue list", "", 0, 0, "waiting work, or the dead letters",
     "  hoso queue list --dead\n  hoso queue list --service routing",
     hoso_queue_list, {OPT_SERVICE, OPT_DOSSIER, OPT_DEAD, OPT_HELD, OPT_MAX}},
    {"queue show", "SEQ", 1, 1, "one item or dead letter, with its failures", NULL,
     hoso_queue_show, {OPT_UNMASK}},
    {"queue retry", "[SEQ...]", 0, -1, "put dead letters back into their queue",
     "Without SEQ those that all given options let through; --dry-run shows them. Carried out in "
     "turns of 200; one that cannot be helped stops no other.\n\n"
     "  hoso queue retry 371\n  hoso queue retry --all --service notification\n"
     "  hoso queue retry --error failed --older '2 hours' --procedure 1.004873 --dry-run",
     hoso_queue_retry, {DEAD_FILTER, OPT_BY}},
    {"queue drop", "[SEQ...]", 0, -1, "give dead letters up: the work has failed",
     "  hoso queue drop 371 --reason 'no such number; citizen told by letter'",
     hoso_queue_drop, {DEAD_FILTER, OPT_REASON, OPT_BY}},
    {"queue skip", "[SEQ...]", 0, -1, "take the work of dead letters for done",
     "The dossier goes on as if the work had ended with the result (an empty one where none is "
     "given), or with --failed as if it could not be done.\n\n"
     "  hoso queue skip 371 --reason 'agency answered by letter 15/2026' \\\n"
     "        --result '{\"verdict\": \"approve\"}'",
     hoso_queue_skip, {DEAD_FILTER, OPT_RESULT, OPT_FAILED, OPT_REASON, OPT_BY}},
    {"queue edit", "SEQ", 1, 1, "mend a dead letter's data and put it back",
     "Checked as the activity takes it; null takes a parameter away.\n\n"
     "  hoso queue edit 371 --set 'params.template=\"receipt\"' --reason 'wrong template'",
     hoso_queue_edit, {OPT_SET, OPT_REASON, OPT_BY}},
    {"queue shape", "", 0, 0, "how old is what waits? activities by age",
     "Rows are queues, dead letters and open tasks of each activity, columns ages in minutes: "
     "under 5, 5 to 10, and so on, each twice as long as the one before. Old work that nobody "
     "takes stands out on the right.",
     hoso_queue_shape, {OPT_SERVICE}},
    {"hold list", "", 0, 0, "what is on hold, since when and why", NULL,
     hoso_hold_list, {OPT_CELL}},
    {"hold", "KIND [NAME]", 1, 2, "keep back a dossier, procedure, queue, site",
     "Parties' new dossiers and events are refused with `held` and the reason; what comes due is "
     "put aside; tasks are not given out, while a lease that runs may be completed. Due dates go "
     "on. `hoso release` lets it go on where it stood. The reason is shown to parties.\n\n"
     "  hoso hold dossier 000.00.13.H30-261123-0001 --reason 'complaint 7/2026'\n"
     "  hoso hold procedure 1.004873 --reason 'new form from Monday' --by head-1\n"
     "  hoso hold queue notification.send --reason 'gateway out of order'\n"
     "  hoso hold site 000.00.13.H30 --reason 'flood'\n"
     "  hoso hold cell --reason 'moving house'      # no new dossiers, no new leases",
     hoso_hold, {OPT_REASON, OPT_BY}},
    {"release", "KIND [NAME]", 1, 2, "let go on what was on hold",
     "  hoso release queue notification.send --reason 'gateway mended'",
     hoso_release, {OPT_REASON, OPT_BY}},
    {"drain", "", 0, 0, "finish what is under way before a stop",
     "Puts the cell on hold, waits until no work is due and no lease runs, and tells how much is "
     "left. With --stop `hoso run` is ended then, in good order, also where the time is over: "
     "nothing is lost by that. Waits 60 seconds unless --timeout says otherwise; ends with 1 where "
     "something was left. After the next start `hoso release cell` opens it again.\n\n"
     "  hoso drain --stop --timeout 300 --reason 'kernel update'",
     hoso_drain, {OPT_STOP, OPT_TIMEOUT, OPT_REASON, OPT_BY}},
    {"metrics", "", 0, 0, "figures as Prometheus text",
     "With --listen they are served at /metrics, with /healthz and /readyz beside them, until a "
     "signal ends it; `hoso run` does so where metrics_listen is set. Else for a node exporter's "
     "text folder, by cron:\n\n"
     "  hoso metrics --cell /var/lib/hoso/vi-thanh --output /var/lib/node/hoso.prom\n"
     "  hoso metrics --cell /var/lib/hoso/vi-thanh --listen 127.0.0.1:9464",
     hoso_metrics, {OPT_OUTPUT, OPT_LISTEN}},

    {"portal status", "", 0, 0, "what waits for the national portal",
     "Ends with 1 when the portal has refused something: `hoso portal list --held` says what.",
     hoso_portal_status, {OPT_CELL}},
    {"portal list", "", 0, 0, "records that wait or were refused, and why",
     "A record that was refused is held, and later ones of its dossier wait behind it.",
     hoso_portal_list, {OPT_HELD, OPT_MAX}},
    {"portal retry", "[CODE...]", 0, -1, "send refused records again",
     "They are made anew first, so that what was mended in the dossier goes along.\n\n"
     "  hoso portal retry 000.00.13.H30-261123-0001\n  hoso portal retry --all",
     hoso_portal_retry, {OPT_ALL}},
    {"portal reconcile", "", 0, 0, "compare dossiers with the portal's",
     "Counts and statuses by day of reception and procedure. Ends with 1 where they differ; what "
     "only waits to be told is no difference.\n\n"
     "  hoso portal reconcile --first-day 2026-11-01 --last-day 2026-11-30",
     hoso_portal_reconcile, {OPT_FIRST_DAY, OPT_LAST_DAY}},

    {"verify", "", 0, 0, "prove the store undamaged",
     "Checks pages, the checksum of every record, the hash chain of the journal, every index "
     "against its table, the counters, and every scanned paper against its hash; with --quick only "
     "whether its file is there. Ends with 1 where something is damaged. A running cell goes on.",
     hoso_verify, {OPT_QUICK}},
    {"backup", "FOLDER", 1, 1, "copy the cell, running or not; checked",
     "FOLDER must be new. It gets the store (compact), the *.cfg files, parties/, papers/ (linked, "
     "where it lies on the same disk), the books of adapters (portal.db, courier.db) and a manifest "
     "with the hash of each file.\n\n"
     "  hoso backup /backup/vi-thanh-2026-11-23",
     hoso_backup, {OPT_CELL}},
    {"restore", "BACKUP FOLDER", 2, 2, "make a cell of a backup, in a new folder",
     "Every file is compared with its hash, the store checked. FOLDER must be new or empty, and "
     "carry the cell's name unless --name says it.\n\n"
     "  hoso restore /backup/vi-thanh-2026-11-23 /var/lib/hoso/vi-thanh\n\n"
     "With --archive the changes since the backup follow, to the last one or to --until: a moment "
     "of the clock on the wall, or the last number of the journal that is wanted.\n\n"
     "  hoso restore /backup/monday vi-thanh --archive /archive/vi-thanh \\\n"
     "        --until 2026-11-23T14:29:59\n\n"
     "The numbers that the lost cell may have given since then are not given again: 1,000 of today's "
     "dossier codes of each site are passed over, and as many parcels for each site, or of a "
     "courier's pool. --skip-numbers chooses another span; 0 where nothing was done after the backup.",
     hoso_restore, {OPT_NAME, OPT_ARCHIVE, OPT_UNTIL, OPT_SKIP_NUMBERS}},
    {"archive", "", 0, 0, "how far the archive of changes has come",
     "`hoso run` moves changes to the folder `archive` of hoso.cfg by itself. --move does it once "
     "where no archiver runs; --off ends recording: what follows needs a new backup.",
     hoso_archive, {OPT_MOVE, OPT_OFF}},
    {"compact", "", 0, 0, "make the store's file small; cell stopped", NULL,
     hoso_compact, {OPT_CELL}},
    {"upgrade", "", 0, 0, "take over an older store; cell stopped",
     "Works on a copy, checks it, and puts it in the old file's place; that stays in the store's "
     "folder as data.mdb.format-N until you delete it. Broken off at any moment it leaves the old "
     "store as it was. --dry-run does all but the last step.\n\n"
     "  hoso upgrade --dry-run && hoso upgrade",
     hoso_upgrade, {OPT_DRY_RUN, OPT_NO_COPY}},
    {"dump", "", 0, 0, "the store as JSON, for other machines",
     "Holds personal data. Papers are files as they are: take the folder papers/ along.\n\n"
     "  hoso dump --output cell.jsonl", hoso_dump, {OPT_OUTPUT}},
    {"load", "FILE|-", 1, 1, "fill a cell without a store from a dump", NULL,
     hoso_load, {OPT_CELL}},
};
/* clang-format on */

const size_t hoso_n_verbs = WF_COUNT(hoso_verbs);
