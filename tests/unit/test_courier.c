/* SPDX-License-Identifier: Apache-2.0 */
/* The courier adapter without cell and courier: wording, settings, the book. */
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "courier/book.h"

static struct wf_error err;
static struct wf_arena *arena;
static char folder[64];
static struct adapter adapter;
static struct db *db;

static const char settings_text[] =
    "url = \"https://courier.example\"; customer_code = \"HGG\"; postage = 26000;\n"
    "senders = ( { site = \"*\"; name = \"all\"; address = \"a\"; },\n"
    "  { site = \"000.00.13.H30\"; name = \"one\"; address = \"b\"; } );\n"
    "codes = ( { code = \"2\"; means = \"collected\"; }, { code = \"3\"; means = \"in_transit\"; "
    "},\n"
    "  { code = \"4\"; means = \"delivered\"; }, { code = \"7\"; means = \"returned\"; },\n"
    "  { code = \"5\"; means = \"failed\"; reason = \"absent\"; }, { code = \"0\"; means = "
    "\"ignored\"; },\n"
    "  { code = \"9\"; means = \"out_for_delivery\"; } );\n"
    "answers = ( { code = \"102\"; means = \"duplicate\"; } );\n";

static const char *in_folder(const char *name)
{
    return wf_arena_printf(arena, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int load(const char *text, char *line, size_t size)
{
    const struct adapter_spec spec = {.name = "courier",
                                      .keys = courier_keys,
                                      .n_keys = courier_n_keys,
                                      .settings_size = sizeof(struct courier_settings),
                                      .check = courier_check};
    struct wf_report report = {0};
    write_file("courier.cfg", text);
    int rc = adapter_load(&adapter, &spec, folder, &report, &err);
    line[0] = '\0';
    if (report.n > 0)
        (void)wf_report_line(&report, 0, line, size);
    wf_report_fini(&report);
    return rc;
}

static const struct courier_settings *settings(void)
{
    return adapter.settings;
}

static int set_up(void **state)
{
    char line[512];
    (void)state;
    arena = wf_arena_new(0);
    (void)snprintf(folder, sizeof(folder), "/tmp/hoso-courier-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_file("hoso.cfg", "");
    assert_ok(load(settings_text, line, sizeof(line)), err);
    assert_ok(book_open(in_folder("courier.db"), settings(), &db, &err), err);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"hoso.cfg",       "courier.cfg",    "courier.db",
                                        "courier.db-wal", "courier.db-shm", "items.txt"};
    (void)state;
    db_close(db);
    db = NULL;
    adapter_unload(&adapter);
    for (size_t i = 0; i < WF_COUNT(files); i++)
        (void)unlink(in_folder(files[i]));
    assert_int_equal(rmdir(folder), 0);
    wf_arena_free(arena);
    return 0;
}

/* ---- wording ----------------------------------------------------------------------------------- */

static void an_order_has_the_members_of_its_dialect_in_their_order(void **state)
{
    const struct order_facts facts = {.of = {[FACT_CUSTOMER] = "HGG",
                                             [FACT_ORDER] = "D-1",
                                             [FACT_ITEM] = "EE1",
                                             [FACT_COD] = "49000",
                                             [FACT_RECEIVER_NAME] = "Trần \"B\"",
                                             [FACT_FLAG] = "2"}};
    const char *text = NULL;
    (void)state;
    assert_ok(dialect_order(dialect_by_name("ngsp"), &facts, arena, &text, &err), err);
    assert_string_equal(
        text, "{\"customerCode\":\"HGG\",\"orderNumber\":\"D-1\",\"codAmount\":49000,"
              "\"senderProvince\":\"\",\"senderDistrict\":\"\",\"senderAddress\":\"\","
              "\"senderName\":\"\",\"senderEmail\":\"\",\"senderTel\":\"\",\"senderDesc\":\"\","
              "\"description\":\"\",\"receiverName\":\"Trần \\\"B\\\"\",\"receiverAddress\":\"\","
              "\"receiverTel\":\"\",\"receiverProvince\":\"\",\"receiverDistrict\":\"\","
              "\"receiverEmail\":\"\"}");
    assert_ok(dialect_order(dialect_by_name("lgsp"), &facts, arena, &text, &err), err);
    assert_non_null(
        strstr(text, "\"ItemCode\":\"EE1\",\"OrderNumber\":\"D-1\",\"CODAmount\":49000"));
    assert_non_null(strstr(text, "\"FlagConfig\":2}"));
    assert_ok(dialect_cancel(dialect_by_name("ngsp"), &facts, arena, &text, &err), err);
    assert_string_equal(text, "{\"customerCode\":\"HGG\",\"orderNumber\":\"D-1\"}");
    assert_ok(
        dialect_tracking(dialect_by_name("ngsp"), 1000, TRACKING_ID_FIRST, arena, &text, &err),
        err);
    assert_string_equal(text, "{\"pageSize\":1000,\"lastId\":\"000000000000000000000000\"}");
}

static void an_answer_means_what_settings_dialect_and_status_say(void **state)
{
    static const struct {
        const char *dialect;
        int status;
        const char *body;
        enum courier_verdict verdict;
        const char *item;
    } rows[] = {
        {"ngsp", 200, "{\"status\":0,\"itemCode\":\"CP1\"}", VERDICT_ACCEPTED, "CP1"},
        {"ngsp", 200, "{\"message\":\"OK\"}", VERDICT_ACCEPTED, ""},
        {"ngsp", 201, "", VERDICT_ACCEPTED, ""},
        {"ngsp", 409, "", VERDICT_DUPLICATE, ""},
        {"ngsp", 200, "{\"status\":\"102\"}", VERDICT_DUPLICATE, ""},
        {"ngsp", 200, "{\"status\":77}", VERDICT_REFUSED, ""},
        {"ngsp", 400, "{}", VERDICT_REFUSED, ""},
        {"ngsp", 401, "", VERDICT_TOKEN, ""},
        {"ngsp", 503, "<html>", VERDICT_LATER, ""},
        {"ngsp", 200, "<html>login</html>", VERDICT_LATER, ""},
        {"ngsp", 200, "{\"status\":0", VERDICT_LATER, ""},
        {"ngsp", 200, "{\"status\":0,\"itemCode\":\"a b\"}", VERDICT_ACCEPTED, ""},
        {"lgsp", 200, "{\"Status\":100,\"ItemCode\":\"EE1\"}", VERDICT_ACCEPTED, "EE1"},
        {"lgsp", 200, "{\"Status\":101}", VERDICT_DUPLICATE, ""},
        {"lgsp", 200, "{\"Status\":404}", VERDICT_LATER, ""},
        {"lgsp", 200, "{\"Status\":500}", VERDICT_LATER, ""},
        {"lgsp", 200, "{\"Status\":102}", VERDICT_DUPLICATE, ""},
    };
    (void)state;
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct order_answer answer;
        dialect_answer(dialect_by_name(rows[i].dialect), settings()->answers, settings()->n_answers,
                       rows[i].status, rows[i].body, strlen(rows[i].body), &answer);
        if (answer.verdict != rows[i].verdict || strcmp(answer.item, rows[i].item) != 0)
            fail_msg("row %zu: %s, item \"%s\"", i, verdict_word(answer.verdict), answer.item);
    }
}

static int page_of(const char *text, struct tracking_page *out)
{
    return dialect_page(dialect_by_name("ngsp"), text, strlen(text), arena, out, &err);
}

static void rows_of_tracking_that_say_nothing_are_passed_over(void **state)
{
    struct tracking_page page;
    (void)state;
    assert_ok(
        page_of("{\"data\":["
                "{\"id\":\"65a0000000000000000000bb\",\"orderNumber\":\"D\",\"statusCode\":4},"
                "{\"id\":\"65a0000000000000000000aa\",\"orderNumber\":\"D\",\"statusCode\":"
                "\"2\",\"statusTime\":1700000000},"
                "{\"id\":\"x y\",\"orderNumber\":\"D\",\"statusCode\":4},"
                "{\"orderNumber\":\"D\",\"statusCode\":4}, 7, null,"
                "{\"id\":\"65\",\"orderNumber\":[],\"statusCode\":4}]}",
                &page),
        err);
    assert_int_equal(page.n, 2);
    assert_string_equal(page.last_id, "65a0000000000000000000bb");
    assert_int_equal(page.events[0].at_ms, INT64_C(0x65a00000) * 1000);
    assert_int_equal(page.events[1].at_ms, INT64_C(1700000000000));
    assert_string_equal(page.events[1].code, "2");
    assert_int_equal(page_of("{\"data\":7}", &page), WF_E_INVALID);
    assert_int_equal(page_of("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", &page), WF_E_INVALID);
    assert_int_equal(page_of("", &page), WF_E_INVALID);
}

static void a_look_goes_back_by_the_time_in_the_id(void **state)
{
    char from[25];
    (void)state;
    tracking_id_before("65a000640000000000000007", 100000, from);
    assert_string_equal(from, "65a000000000000000000000");
    tracking_id_before(TRACKING_ID_FIRST, 100000, from);
    assert_string_equal(from, TRACKING_ID_FIRST);
    tracking_id_before("zz", 100000, from);
    assert_string_equal(from, "zz");
}

/* ---- settings ---------------------------------------------------------------------------------- */

static void wrong_settings_are_named_with_their_cure(void **state)
{
    static const struct {
        const char *added, *said;
    } rows[] = {
        {"dialect = \"morse\";", "not known: one of ngsp, lgsp"},
        {"items = \"pool\";", "needs item_pool"},
        {"items = \"none\";", "write cell or pool or courier"},
        {"postage_by = \"nobody\";", "write receiver or sender"},
        {"pagesize = 10;", "page_size"},
        {"page_size = 1001;", "1000"},
    };
    char line[512];
    (void)state;
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        adapter_unload(&adapter);
        const char *text = wf_arena_printf(arena, "%s%s\n", settings_text, rows[i].added);
        assert_int_equal(load(text, line, sizeof(line)), WF_E_CONFIG);
        if (strstr(line, rows[i].said) == NULL)
            fail_msg("%s: \"%s\"", rows[i].added, line);
    }
    adapter_unload(&adapter);
    assert_int_equal(load("url = \"https://x\"; customer_code = \"c\"; senders = ();\n"
                          "codes = ( { code = \"4\"; means = \"eaten\"; } );\n",
                          line, sizeof(line)),
                     WF_E_CONFIG);
    assert_non_null(strstr(line, "courier.cfg:2: means = \"eaten\": no state of a parcel"));
}

static void a_list_that_is_something_else_is_refused(void **state)
{
    static const char *const lists[] = {"codes = \"4\";", "codes = { code = \"4\"; };",
                                        "codes = [ \"4\" ];", "codes = 4;"};
    char line[512];
    (void)state;
    for (size_t i = 0; i < WF_COUNT(lists); i++) {
        adapter_unload(&adapter);
        const char *text = wf_arena_printf(
            arena, "url = \"https://x\"; customer_code = \"c\"; senders = ();\n%s\n", lists[i]);
        assert_int_equal(load(text, line, sizeof(line)), WF_E_CONFIG);
        if (strstr(line, "courier.cfg:2: codes: groups are wanted") == NULL)
            fail_msg("%s: \"%s\"", lists[i], line);
    }
}

static void the_delivered_file_holds_every_key_and_lacks_only_the_contract(void **state)
{
    char text[16384] = "";
    char line[512];
    FILE *file = fopen(SOURCE_ROOT "/config/courier.cfg", "r");
    (void)state;
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(n < sizeof(text) - 1);
    for (size_t i = 0; i < courier_n_keys; i++) {
        const char *key = wf_arena_printf(arena, "%s = ", courier_keys[i].name);
        if (strstr(text, key) == NULL)
            fail_msg("courier.cfg does not name %s", courier_keys[i].name);
    }
    adapter_unload(&adapter);
    assert_int_equal(load(text, line, sizeof(line)), WF_E_CONFIG);
    assert_non_null(strstr(line, "customer_code"));
    char *code = strstr(text, "customer_code = \"\"");
    assert_non_null(code);
    memcpy(code, "customer_code =\"x\"", strlen("customer_code =\"x\""));
    adapter_unload(&adapter);
    assert_ok(load(text, line, sizeof(line)), err);
}

static void the_site_of_the_dossier_is_the_sender(void **state)
{
    (void)state;
    assert_string_equal(courier_sender(settings(), "000.00.13.H30-211130-0001")->name, "one");
    assert_string_equal(courier_sender(settings(), "000.00.14.H30-211130-0001")->name, "all");
}

/* ---- the book ---------------------------------------------------------------------------------- */

static void take(const char *dossier, const char *parcel, int64_t task)
{
    const struct order_task one = {.dossier = dossier,
                                   .parcel = parcel,
                                   .person = "{}",
                                   .kind = "deliver",
                                   .task = task,
                                   .token = task * 10,
                                   .lease_until_ms = 1000};
    assert_ok(book_take(db, settings(), &one, 1, 1, &err), err);
}

static struct order *listed(enum book_list list, size_t expected)
{
    struct order *orders = NULL;
    size_t n = 0;
    assert_ok(book_list(db, list, 1000000, 100, arena, &orders, &n, &err), err);
    assert_int_equal(n, expected);
    return orders;
}

static int gone(const struct order *order)
{
    return book_gone(db, settings(), order, 5, arena, &err);
}

static int64_t count(const char *sql)
{
    int64_t n = 0;
    assert_ok(db_number(db, &err, &n, sql, ""), err);
    return n;
}

static void a_parcel_is_one_order_however_often_its_task_comes(void **state)
{
    (void)state;
    take("D-1", "EE1", 1);
    take("D-1", "EE1", 1);
    take("D-1", "EE1", 2); /* a further attempt */
    struct order *order = listed(BOOK_TO_ASK, 1);
    assert_string_equal(order->number, "D-1");
    assert_string_equal(order->item, "EE1");
    assert_int_equal(order->task, 2);
    take("D-1", "EE2", 3);
    assert_string_equal(listed(BOOK_TO_ASK, 2)[1].number, "D-1.R2");
}

static void a_task_number_given_again_parts_from_its_first_parcel(void **state)
{
    (void)state;
    take("D-1", "EE1", 7);
    take("D-2", "EE2", 7); /* by a cell that an older backup was restored to */
    struct order *order = listed(BOOK_TO_ASK, 1);
    assert_string_equal(order->number, "D-2");
    assert_int_equal(count("SELECT count(*) FROM orders WHERE task = 7"), 1);
    assert_int_equal(count("SELECT count(*) FROM orders WHERE why LIKE '%backup%'"), 1);
}

static void a_clock_that_was_years_ahead_keeps_no_order_waiting(void **state)
{
    (void)state;
    take("D-1", "EE1", 1);
    struct order *order = listed(BOOK_TO_ASK, 1);
    assert_ok(book_later(db, order, "busy", 1000000 + 60000, &err), err);
    (void)listed(BOOK_TO_ASK, 0);
    assert_ok(book_later(db, order, "busy", 1893456000000, &err), err);
    (void)listed(BOOK_TO_ASK, 1);
}

static void what_was_never_asked_for_needs_no_cancelling(void **state)
{
    (void)state;
    take("D-1", "EE1", 1);
    take("D-2", "EE2", 2);
    struct order *orders = listed(BOOK_TO_ASK, 2);
    assert_ok(book_asked(db, &orders[1], &err), err);
    orders = listed(BOOK_TO_ASK, 2);
    assert_ok(gone(&orders[0]), err);
    assert_ok(gone(&orders[1]), err);
    struct order *left = listed(BOOK_TO_ASK, 1);
    assert_string_equal(left->number, "D-2");
    assert_int_equal(left->state, ORDER_CANCELLING);
    assert_int_equal(count("SELECT count(*) FROM orders WHERE state = 'cancelled'"), 1);
    assert_int_equal(count("SELECT count(*) FROM orders WHERE person <> ''"), 0);
    take("D-1", "EE1", 3); /* it is wanted after all: under a number of its own */
    assert_string_equal(listed(BOOK_TO_ASK, 2)[1].number, "D-1.R2");
}

static void a_number_that_was_never_sent_goes_back_to_the_pool(void **state)
{
    struct courier_settings *s = adapter.settings;
    (void)state;
    db_close(db);
    write_file("items.txt",
               "EE473124829VN\n# more, and a line that is longer than a number would ever be: "
               "the courier's note of what these are for, from whom they came and "
               "when\n\nEE123456785VN\n");
    s->items = "pool";
    s->item_pool = in_folder("items.txt");
    s->item_check = true;
    assert_ok(book_open(in_folder("courier.db"), s, &db, &err), err);
    take("D-1", "P1", 1);
    take("D-2", "P2", 2);
    take("D-3", "P3", 3);
    struct order *orders = listed(BOOK_TO_ASK, 3);
    assert_string_equal(orders[0].item, "EE123456785VN");
    assert_string_equal(orders[1].item, "EE473124829VN");
    assert_int_equal(book_number(db, s, &orders[2], arena, &err), WF_NONE);
    assert_ok(book_asked(db, &orders[1], &err), err);
    orders = listed(BOOK_TO_ASK, 3);
    assert_ok(gone(&orders[1]), err); /* was sent: is used up */
    assert_int_equal(book_number(db, s, &orders[2], arena, &err), WF_NONE);
    assert_ok(gone(&orders[0]), err);
    assert_int_equal(book_number(db, s, &orders[2], arena, &err), 0);
    assert_string_equal(orders[2].item, "EE123456785VN");
    db_close(db);
    db = NULL;
    write_file("items.txt", "EE473124829VN\nEE123456789VN\n");
    assert_int_equal(book_open(in_folder("courier.db"), s, &db, &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "items.txt:2: no item number"));
}

static void numbers_of_the_pool_that_are_passed_over_are_never_given(void **state)
{
    struct courier_settings *s = adapter.settings;
    int64_t passed = -1;
    (void)state;
    db_close(db);
    write_file("items.txt", "A1\nA2\nA3\nA4\n");
    s->items = "pool";
    s->item_pool = in_folder("items.txt");
    s->item_check = false;
    assert_ok(book_open(in_folder("courier.db"), s, &db, &err), err);
    take("D-1", "P1", 1);
    assert_ok(book_pass_items(db, 2, &passed, &err), err);
    assert_int_equal(passed, 2);
    db_close(db);
    assert_ok(book_open(in_folder("courier.db"), s, &db, &err), err); /* reads the file again */
    take("D-2", "P2", 2);
    take("D-3", "P3", 3);
    struct order *orders = listed(BOOK_TO_ASK, 3);
    assert_string_equal(orders[0].item, "A1");
    assert_string_equal(orders[1].item, "A4");
    assert_int_equal(book_number(db, s, &orders[2], arena, &err), WF_NONE);
    assert_ok(book_pass_items(db, 2, &passed, &err), err);
    assert_int_equal(passed, 0); /* there are no more */
}

static void a_book_is_not_gone_on_with_by_another_party(void **state)
{
    struct courier_settings *s = adapter.settings;
    struct db *other = NULL;
    (void)state;
    s->common.party = "somebody";
    assert_int_equal(book_open(in_folder("courier.db"), s, &other, &err), WF_E_CONFIG);
    assert_null(other);
}

/* ---- events ------------------------------------------------------------------------------------ */

static void hear(int64_t at, const char *code)
{
    const char *id = wf_arena_printf(arena, "%024lld", (long long)(at * 100 + code[0]));
    struct tracking_event event = {.id = id, .order = "D-1", .code = code, .at_ms = at};
    const struct tracking_page page = {&event, 1, 1, id};
    int64_t n = 0;
    assert_ok(book_events(db, &page, id, 1, &n, &err), err);
}

/* "collected:0 failed:1 ..." */
static const char *story(const struct order *order)
{
    struct step *steps = NULL;
    size_t n = 0;
    const char *text = "";
    assert_ok(book_steps(db, settings(), order, arena, &steps, &n, &err), err);
    for (size_t i = 0; i < n; i++)
        text = wf_arena_printf(arena, "%s%s%s:%lld", text, i > 0 ? " " : "",
                               parcel_word(steps[i].state), (long long)steps[i].attempt);
    return text;
}

static void events_tell_the_same_story_in_every_order(void **state)
{
    static const char *const codes[] = {"2", "9", "5", "9", "4"};
    static const char expected[] =
        "collected:0 out_for_delivery:1 failed:1 out_for_delivery:2 delivered:2";
    int at[] = {0, 1, 2, 3, 4};
    (void)state;
    take("D-1", "EE1", 1);
    struct order order = *listed(BOOK_TO_ASK, 1);
    for (int turn = 0; turn < 120; turn++) { /* all permutations: Lehmer code */
        int left[] = {0, 1, 2, 3, 4};
        int rest = turn;
        for (int i = 0; i < 5; i++) {
            int k = rest % (5 - i);
            rest /= 5 - i;
            at[i] = left[k];
            memmove(&left[k], &left[k + 1], (size_t)(4 - i - k) * sizeof(left[0]));
        }
        assert_ok(db_do(db, &err, "DELETE FROM events", ""), err);
        for (int i = 0; i < 5; i++) {
            hear(at[i], codes[at[i]]);
            hear(at[i], codes[at[i]]); /* doubled */
        }
        assert_string_equal(story(&order), expected);
    }
    hear(10, "3"); /* a delivery is not undone, nor by what is newer */
    hear(11, "7");
    hear(-1, "0");
    hear(2, "77");
    assert_string_equal(story(&order), expected);
}

static void only_steps_that_were_not_told_are_told(void **state)
{
    struct step *steps = NULL;
    size_t n = 0;
    (void)state;
    take("D-1", "EE1", 1);
    struct order order = *listed(BOOK_TO_ASK, 1);
    assert_ok(book_settled(db, &order, ORDER_ORDERED, "", "", 2, &err), err);
    hear(1, "2");
    order = *listed(BOOK_TO_TELL, 1);
    assert_ok(book_steps(db, settings(), &order, arena, &steps, &n, &err), err);
    assert_false(steps[0].is_told);
    assert_ok(book_told(db, &order, &steps[0], &err), err);
    assert_ok(book_quiet(db, &order, &steps[0], &err), err);
    (void)listed(BOOK_TO_TELL, 0);
    hear(1, "2");
    (void)listed(BOOK_TO_TELL, 0);
    hear(2, "3");
    order = *listed(BOOK_TO_TELL, 1);
    assert_ok(book_steps(db, settings(), &order, arena, &steps, &n, &err), err);
    assert_int_equal(n, 2);
    assert_true(steps[0].is_told);
    assert_false(steps[1].is_told);
    assert_int_equal(order.news, PARCEL_COLLECTED);
    take("D-1", "EE1", 2); /* another task has heard nothing yet */
    assert_ok(book_steps(db, settings(), &order, arena, &steps, &n, &err), err);
    assert_false(steps[0].is_told);
}

static void what_is_gone_goes_by_its_events_told_or_not(void **state)
{
    static const struct {
        const char *code, *state;
    } rows[] = {{NULL, "cancelling"}, {"2", "stray"}, {"4", "over"}};
    (void)state;
    take("D-1", "EE1", 1);
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        assert_ok(db_do(db, &err, "UPDATE orders SET state = 'ordered', task = 1, fresh = 1", ""),
                  err);
        if (rows[i].code != NULL)
            hear((int64_t)i, rows[i].code);
        struct order order = *listed(BOOK_TO_TELL, 1);
        assert_ok(gone(&order), err);
        struct db_rows *found = NULL;
        assert_ok(db_select(db, &err, &found, "SELECT state FROM orders WHERE task = 0", ""), err);
        assert_ok(db_next(found, &err), err);
        assert_true(wf_str_is(db_str(found, 0), rows[i].state));
        db_done(found);
    }
}

static void what_is_long_over_is_forgotten_but_not_its_number(void **state)
{
    int64_t n = -1;
    (void)state;
    take("D-1", "EE1", 1);
    take("D-2", "EE9", 2);
    struct order order = *listed(BOOK_TO_ASK, 2);
    assert_ok(book_settled(db, &order, ORDER_ORDERED, "", "", 2, &err), err);
    hear(1, "2");
    hear(2, "4");
    order = *listed(BOOK_TO_TELL, 1);
    const struct step end = {.state = PARCEL_DELIVERED};
    assert_ok(book_told(db, &order, &end, &err), err);
    assert_ok(book_quiet(db, &order, &end, &err), err);
    assert_ok(book_forget(db, 1000, &n, &err), err);
    assert_int_equal(n, 0); /* it is under way */
    assert_ok(book_settled(db, &order, ORDER_OVER, "", "", 100, &err), err);
    assert_ok(book_forget(db, 100, &n, &err), err);
    assert_int_equal(n, 0); /* not long enough */
    assert_ok(book_forget(db, 101, &n, &err), err);
    assert_int_equal(n, 1);
    assert_int_equal(count("SELECT count(*) FROM events"), 0);
    assert_int_equal(count("SELECT count(*) FROM told"), 0);
    hear(1, "2"); /* read once more */
    assert_int_equal(count("SELECT count(*) FROM events"), 0);
    (void)listed(BOOK_TO_TELL, 0);
    assert_ok(book_forget(db, 101, &n, &err), err);
    assert_int_equal(n, 0);
    take("D-1", "EE2", 3); /* the courier knows D-1 */
    assert_int_equal(count("SELECT count(*) FROM orders WHERE number = 'D-1.R2'"), 1);
    take("D-1", "EE1", 4); /* a cell of long ago was restored */
    hear(2, "4");
    assert_int_equal(count("SELECT count(*) FROM events"), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_order_has_the_members_of_its_dialect_in_their_order),
        CASE(an_answer_means_what_settings_dialect_and_status_say),
        CASE(rows_of_tracking_that_say_nothing_are_passed_over),
        CASE(a_look_goes_back_by_the_time_in_the_id),
        CASE(wrong_settings_are_named_with_their_cure),
        CASE(a_list_that_is_something_else_is_refused),
        CASE(the_delivered_file_holds_every_key_and_lacks_only_the_contract),
        CASE(the_site_of_the_dossier_is_the_sender),
        CASE(a_parcel_is_one_order_however_often_its_task_comes),
        CASE(a_task_number_given_again_parts_from_its_first_parcel),
        CASE(a_clock_that_was_years_ahead_keeps_no_order_waiting),
        CASE(what_was_never_asked_for_needs_no_cancelling),
        CASE(a_number_that_was_never_sent_goes_back_to_the_pool),
        CASE(numbers_of_the_pool_that_are_passed_over_are_never_given),
        CASE(a_book_is_not_gone_on_with_by_another_party),
        CASE(events_tell_the_same_story_in_every_order),
        CASE(what_is_gone_goes_by_its_events_told_or_not),
        CASE(only_steps_that_were_not_told_are_told),
        CASE(what_is_long_over_is_forgotten_but_not_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
