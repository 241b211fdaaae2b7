/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A definition to begin from: the common journey of a commune's matter, with a comment on each part
 * that is to be decided. tests/unit/test_tools.c holds it to the checks.
 */
#include "tools.h"

/* clang-format off */
static const char head[] =
"# SPDX-License-Identifier: Apache-2.0\n"
"#\n"
"# What to do with this file: go through it from top to bottom, settle what says DECIDE, then\n"
"#   hoso procedure check FILE       is it sound?\n"
"#   hoso procedure explain FILE     does it say what was meant?\n"
"#   hoso procedure simulate FILE    does it do what was meant?\n"
"#   hoso procedure install FILE     raise `version` with every later change\n"
"# docs/procedures.md is the manual.\n"
"\n"
"procedure: {\n";

static const char settings[] =
"  level = \"commune\";                           # or district, province\n"
"  channels = [ \"one_stop\", \"post\", \"online\" ]; # DECIDE: ways of filing\n"
"  time_limit = \"3 working days\";               # DECIDE: or \"same day\", \"8 working hours\", \"15 days\"\n"
"  fee = 0;                                     # DECIDE: dong\n"
"  authority = \"Chủ tịch Ủy ban nhân dân cấp xã\"; # DECIDE: who decides\n"
"  agent = \"allowed\"; retention_years = 20;     # 0 = kept for ever\n"
"  legal = [ ];                                 # DECIDE: \"Luật ...\", \"Nghị định ...\"\n"
"\n"
"  # What the citizen hands in. needed_if = \"was_married == true\" makes a paper depend on a field.\n"
"  papers = (\n"
"    { id = \"declaration\"; kind = \"original\"; required = true;\n"
"      title = { vi = \"Tờ khai\"; en = \"Declaration\"; }; },\n"
"    { id = \"identity\"; kind = \"copy\"; required = true;\n"
"      title = { vi = \"Bản sao giấy tờ tùy thân\"; en = \"Copy of the identity card\"; }; }\n"
"  );\n"
"\n"
"  # What is asked on the form. personal = true: masked for those without the right, never logged.\n"
"  fields = (\n"
"    { id = \"full_name\"; type = \"text\"; required = true; personal = true; min = 2; max = 100;\n"
"      title = { vi = \"Họ và tên\"; en = \"Full name\"; }; },\n"
"    { id = \"citizen_id\"; type = \"citizen_id\"; required = true; personal = true;\n"
"      title = { vi = \"Số định danh cá nhân\"; en = \"Citizen number\"; }; },\n"
"    { id = \"phone\"; type = \"mobile\"; required = true; personal = true;\n"
"      title = { vi = \"Số điện thoại di động\"; en = \"Mobile phone\"; }; },\n"
"    { id = \"address\"; type = \"text\"; personal = true; max = 300;\n"
"      title = { vi = \"Địa chỉ nhận kết quả\"; en = \"Address for the result\"; }; },\n"
"    { id = \"return_by\"; type = \"choice\"; required = true; choices = [ \"counter\", \"post\" ];\n"
"      title = { vi = \"Cách nhận kết quả\"; en = \"Way of receiving the result\"; }; }\n"
"  );\n"
"\n"
"  results = (\n"
"    { id = \"result\"; title = { vi = \"Kết quả\"; en = \"Result\"; }; } # DECIDE: its name\n"
"  );\n"
"\n"
"  data: {          # variables of the chart\n"
"    apologies = 0; # letters of apology sent\n"
"    items = ( );   # what the citizen is asked for\n"
"    reason = \"\";   # last reason that an official gave\n"
"  };\n"
"\n";

static const char handling[] =
"  initial = \"open\";\n"
"  states: {\n"
"    open: { # from filing to the decision; what is written here holds in all states inside\n"
"      title = { vi = \"Đang giải quyết\"; en = \"Being settled\"; };\n"
"      on = (\n"
"        # Late: one apology with a new date, then the head is told. Never a refusal by itself.\n"
"        { event = \"overdue\"; cond = \"apologies == 0\";\n"
"          do = ( { assign = \"apologies\"; expr = \"1\"; },\n"
"                 { extend = \"3 working days\"; },\n"
"                 { send = \"notification.send\"; template = \"apology\";\n"
"                   data = { reason = \"hồ sơ cần thêm thời gian xem xét\"; }; } ); },\n"
"        { event = \"overdue\";\n"
"          do = ( { send = \"routing.escalate\"; reason = \"Hồ sơ quá hạn sau khi đã xin lỗi\"; } ); },\n"
"        { event = \"withdraw\"; target = \"withdrawing\";\n"
"          roles = [ \"citizen\", \"agent\", \"postal_worker\", \"civil_servant\" ]; },\n"
"        # A step that nobody could carry out: a head mends it and says retry.\n"
"        { event = \"error.communication\";\n"
"          do = ( { send = \"routing.escalate\"; reason = \"Một bước không thực hiện được\"; } ); },\n"
"        { event = \"retry\"; target = \"back\"; roles = [ \"head\" ]; }\n"
"      );\n"
"      states: {\n"
"        back: { type = \"history\"; default = \"register\"; };\n"
"        register: { # number, due date, receipt slip: done by the system\n"
"          status = 1;\n"
"          title = { vi = \"Ghi sổ\"; en = \"Entered in the register\"; };\n"
"          invoke = ( { activity = \"intake.register\"; id = \"register\"; } );\n"
"          on = ( { event = \"done.invoke.register\"; target = \"check\"; } );\n"
"        };\n"
"        check: { # papers and fields: done by the system\n"
"          status = 1;\n"
"          title = { vi = \"Kiểm tra thành phần hồ sơ\"; en = \"Counting the papers\"; };\n"
"          invoke = ( { activity = \"verification.check\"; id = \"check\"; } );\n"
"          on = (\n"
"            { event = \"done.invoke.check\"; cond = \"_event.data.complete\"; target = \"accepted\"; },\n"
"            { event = \"done.invoke.check\"; target = \"supplement\";\n"
"              do = ( { assign = \"items\"; expr = \"_event.data.problems\"; },\n"
"                     { assign = \"reason\"; expr = \"'hồ sơ chưa đủ thành phần'\"; } ); }\n"
"          );\n"
"        };\n"
"        accepted: {\n"
"          status = 2;\n"
"          title = { vi = \"Được tiếp nhận\"; en = \"Accepted\"; };\n"
"          entry = ( { send = \"notification.send\"; template = \"receipt\"; } );\n"
"          always = ( { target = \"examine\"; } );\n"
"        };\n";

static const char examining[] =
"        examine: { # DECIDE: role, deadline; further steps (fee, other agencies, signature) go here\n"
"          status = 4; deadline = \"2 working days\";\n"
"          title = { vi = \"Thẩm định\"; en = \"Being examined\"; };\n"
"          invoke = ( { activity = \"verification.review\"; id = \"examine\"; role = \"civil_servant\";\n"
"                       subject = \"Thẩm định hồ sơ\"; } );\n"
"          on = (\n"
"            { event = \"done.invoke.examine\"; cond = \"_event.data.verdict == 'approve'\";\n"
"              target = \"ready\"; },\n"
"            { event = \"done.invoke.examine\"; cond = \"_event.data.verdict == 'supplement'\";\n"
"              target = \"supplement\";\n"
"              do = ( { assign = \"items\";\n"
"                       expr = \"if(has(_event.data.items), _event.data.items, [])\"; },\n"
"                     { assign = \"reason\"; expr = \"_event.data.reason\"; } ); },\n"
"            { event = \"done.invoke.examine\"; cond = \"_event.data.verdict == 'refuse'\";\n"
"              target = \"rejection\";\n"
"              do = ( { assign = \"reason\"; expr = \"_event.data.reason\"; } ); },\n"
"            { event = \"deadline.examine\";\n"
"              do = ( { send = \"routing.escalate\"; reason = \"Quá hạn bước thẩm định\"; } ); }\n"
"          );\n"
"        };\n"
"        supplement: { # the citizen is asked; the clock of the dossier stands still meanwhile\n"
"          status = 5; clock = \"stopped\"; deadline = \"10 days\";\n"
"          title = { vi = \"Chờ bổ sung hồ sơ\"; en = \"Waiting for a supplement\"; };\n"
"          entry = ( { send = \"notification.send\"; template = \"supplement\";\n"
"                      data = { items = \"=items\"; reason = \"=reason\"; }; } );\n"
"          invoke = ( { activity = \"intake.supplement\"; id = \"supplement\";\n"
"                       items = \"=items\"; reason = \"=reason\"; } );\n"
"          on = (\n"
"            { event = \"done.invoke.supplement\"; target = \"check\"; },\n"
"            { event = \"deadline.supplement\"; target = \"lapsing\"; }\n"
"          );\n"
"        };\n"
"      };\n"
"    };\n";

static const char returning[] =
"    ready: { # the result is handed over at the counter or sent\n"
"      status = 9;\n"
"      title = { vi = \"Đã có kết quả, chờ trả\"; en = \"Result ready\"; };\n"
"      entry = ( { send = \"notification.send\"; template = \"ready\"; } );\n"
"      invoke = ( { activity = \"return.deliver\"; id = \"deliver\";\n"
"                   by = \"=if(return_by == 'post', 'parcel', 'counter')\"; } );\n"
"      on = (\n"
"        { event = \"done.invoke.deliver\"; cond = \"_event.data.outcome == 'delivered'\";\n"
"          target = \"filed\"; },\n"
"        { event = \"done.invoke.deliver\"; target = \"fetch\"; },\n"
"        { event = \"retry\"; target = \"ready\"; roles = [ \"head\" ]; }\n"
"      );\n"
"    };\n"
"    fetch: { # the parcel came back or was lost: the result is handed over at the counter\n"
"      status = 9;\n"
"      title = { vi = \"Bưu gửi không phát được, trả tại quầy\"; en = \"Parcel not delivered\"; };\n"
"      invoke = ( { activity = \"return.deliver\"; id = \"fetch\"; by = \"counter\"; } );\n"
"      on = ( { event = \"done.invoke.fetch\"; target = \"filed\"; },\n"
"             { event = \"retry\"; target = \"fetch\"; roles = [ \"head\" ]; } );\n"
"    };\n"
"    filed: { # sealed and kept\n"
"      status = 10;\n"
"      title = { vi = \"Đã trả kết quả\"; en = \"Result returned\"; };\n"
"      invoke = ( { activity = \"return.archive\"; id = \"archive\"; } );\n"
"      on = ( { event = \"done.invoke.archive\"; target = \"approved\"; },\n"
"             { event = \"retry\"; target = \"filed\"; roles = [ \"head\" ]; } );\n"
"    };\n";

/* The ways of ending without a result differ only in words: state, final, outcome, template ... */
static const struct {
    const char *state, *vi, *en, *template, *reason, *final, *outcome;
} endings[] = {
    {"rejection", "Từ chối giải quyết", "Refused", "refused", "=reason", "refused", "refused"},
    {"withdrawing", "Dừng xử lý theo yêu cầu", "Stopped at request", "stopped",
     "người nộp yêu cầu rút hồ sơ", "withdrawn", "withdrawn"},
    {"lapsing", "Dừng xử lý do quá hạn bổ sung", "Stopped: no supplement in time", "stopped",
     "quá hạn bổ sung hồ sơ", "lapsed", "lapsed"},
};
/* clang-format on */

static void add_ending(struct wf_buf *out, size_t i)
{
    const char *state = endings[i].state;
    wf_buf_printf(out,
                  "    %s: {\n      status = 8;\n      title = { vi = \"%s\"; en = \"%s\"; };\n",
                  state, endings[i].vi, endings[i].en);
    wf_buf_printf(out,
                  "      entry = ( { send = \"notification.send\"; template = \"%s\";\n"
                  "                  data = { reason = \"%s\"; }; } );\n",
                  endings[i].template, endings[i].reason);
    wf_buf_printf(out,
                  "      invoke = ( { activity = \"return.archive\"; id = \"archive\"; } );\n"
                  "      on = ( { event = \"done.invoke.archive\"; target = \"%s\"; },\n"
                  "             { event = \"retry\"; target = \"%s\"; roles = [ \"head\" ]; } );\n"
                  "    };\n",
                  endings[i].final, state);
}

static void add_title(struct wf_buf *out, const char *text)
{
    struct wf_str str = wf_str(text);
    const struct wf_node node = {.type = WF_NODE_TEXT, .u.text = str};
    render_node(&node, out);
}

void wf_procedure_skeleton(const char *code, const char *title_vi, const char *title_en,
                           struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_text(out, "  code = ");
    add_title(out, code);
    wf_buf_text(out, "; version = 1;\n  title = { vi = ");
    add_title(out, title_vi != NULL ? title_vi : "Tên thủ tục");
    wf_buf_text(out, "; en = ");
    add_title(out, title_en != NULL ? title_en : "Name of the procedure");
    wf_buf_text(out, title_vi != NULL && title_en != NULL ? "; };\n" : "; }; # DECIDE: the name\n");
    wf_buf_text(out, settings);
    wf_buf_text(out, handling);
    wf_buf_text(out, examining);
    wf_buf_text(out, returning);
    for (size_t i = 0; i < WF_COUNT(endings); i++)
        add_ending(out, i);
    wf_buf_text(out, "    approved: { type = \"final\"; status = 10; outcome = \"approved\"; };\n");
    for (size_t i = 0; i < WF_COUNT(endings); i++)
        wf_buf_printf(out, "    %s: { type = \"final\"; status = 8; outcome = \"%s\"; };\n",
                      endings[i].final, endings[i].outcome);
    wf_buf_text(out, "  };\n};\n");
}
