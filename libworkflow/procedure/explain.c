/* SPDX-License-Identifier: Apache-2.0 */
/* The page's first half: what the procedure is, what it costs, what the citizen brings. */
#include "explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- lines of the head --------------------------------------------------------------------- */

static void pad_to(const struct page *page, const char *heading, size_t width)
{
    size_t used = wf_utf8_length(heading, strlen(heading));
    wf_buf_text(page->out, heading);
    for (; used < width; used++)
        wf_buf_text(page->out, " ");
}

static void head(const struct page *page, const char *vi, const char *en)
{
    pad_to(page, SAY(page, vi, en), 22);
}

/* 15000 -> "15.000 đồng" or "15,000 VND". */
static void add_money(const struct page *page, int64_t amount)
{
    char digits[32];
    size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, amount);
    for (size_t i = 0; i < n; i++) {
        wf_buf_add(page->out, &digits[i], 1);
        if (i + 1 < n && (n - i - 1) % 3 == 0)
            wf_buf_text(page->out, SAY(page, ".", ","));
    }
    wf_buf_text(page->out, SAY(page, " đồng", " VND"));
}

static const char *channel_words(const struct page *page, const char *id)
{
    static const struct {
        const char *id;
        struct wf_bilingual words;
    } channels[] = {
        {"one_stop", {"tại bộ phận một cửa", "at the one-stop section"}},
        {"post", {"qua bưu chính công ích", "at the post office"}},
        {"online", {"trực tuyến", "online"}},
    };
    for (size_t i = 0; i < WF_COUNT(channels); i++) {
        if (strcmp(channels[i].id, id) == 0)
            return view_words(&page->v, &channels[i].words);
    }
    return id;
}

static void add_lists(const struct page *page)
{
    const struct wf_procedure *p = page->v.p;
    head(page, "Nộp hồ sơ", "Filed");
    for (size_t i = 0; i < p->channels.n; i++)
        wf_buf_printf(page->out, "%s%s", i > 0 ? ", " : "",
                      channel_words(page, p->channels.items[i]));
    wf_buf_text(page->out, "\n");
    if (p->n_results > 0) {
        head(page, "Kết quả", "Result");
        for (size_t i = 0; i < p->n_results; i++)
            wf_buf_printf(page->out, "%s%s", i > 0 ? "; " : "",
                          view_words(&page->v, &p->results[i].title));
        wf_buf_text(page->out, "\n");
    }
    if (p->legal.n > 0) {
        head(page, "Căn cứ pháp lý", "Legal grounds");
        for (size_t i = 0; i < p->legal.n; i++)
            wf_buf_printf(page->out, "%s%s", i > 0 ? "; " : "", p->legal.items[i]);
        wf_buf_text(page->out, "\n");
    }
}

static const char *filer(const struct page *page)
{
    const struct wf_procedure *p = page->v.p;
    if (p->presence_required)
        return SAY(page, "người dân, phải có mặt", "the citizen in person");
    return p->agent_allowed ? SAY(page, "người dân hoặc người được ủy quyền",
                                  "the citizen or an authorised agent")
                            : SAY(page, "người dân, không ủy quyền", "the citizen, no agent");
}

static void add_head(const struct page *page)
{
    const struct wf_procedure *p = page->v.p;
    char buf[64];
    wf_buf_printf(page->out, "%s\n%s %s, %s %" PRId64 "\n\n", view_words(&page->v, &p->title),
                  SAY(page, "Mã", "Code"), p->code, SAY(page, "bản", "version"), p->version);
    if (p->authority != NULL) {
        head(page, "Người quyết định", "Decided by");
        wf_buf_printf(page->out, "%s\n", p->authority);
    }
    head(page, "Thời hạn giải quyết", "Time limit");
    wf_buf_text(page->out, wf_limit_words(p->time_limit, page->v.vietnamese, buf, sizeof(buf)));
    for (size_t i = 0; i < p->channels.n; i++) {
        struct wf_limit own = wf_procedure_limit(p, wf_str(p->channels.items[i]));
        if (own.unit != p->time_limit.unit || own.amount != p->time_limit.amount)
            wf_buf_printf(page->out, "; %s: %s", channel_words(page, p->channels.items[i]),
                          wf_limit_words(own, page->v.vietnamese, buf, sizeof(buf)));
    }
    wf_buf_text(page->out, "\n");
    head(page, "Phí, lệ phí", "Fee");
    if (p->fee > 0)
        add_money(page, p->fee);
    else
        wf_buf_text(page->out, SAY(page, "không thu, hoặc theo từng hồ sơ", "none, or by case"));
    wf_buf_text(page->out, "\n");
    head(page, "Người nộp", "Filed by");
    wf_buf_printf(page->out, "%s\n", filer(page));
    add_lists(page);
    if (p->note != NULL) {
        head(page, "Lưu ý", "Note");
        wf_buf_printf(page->out, "%s\n", p->note);
    }
}

/* ---- papers and fields --------------------------------------------------------------------- */

static void add_paper(const struct page *page, size_t i)
{
    static const struct wf_bilingual kinds[] = {
        [WF_PAPER_ORIGINAL] = {"bản chính", "original"},
        [WF_PAPER_COPY] = {"bản sao", "copy"},
        [WF_PAPER_CERTIFIED] = {"bản sao có chứng thực", "certified copy"},
        [WF_PAPER_ELECTRONIC] = {"bản điện tử", "electronic"},
        [WF_PAPER_PHOTO] = {"ảnh", "photo"},
        [WF_PAPER_ANY] = {"bản chính hoặc bản sao", "original or copy"},
    };
    const struct wf_paper *paper = &page->v.p->papers[i];
    wf_buf_printf(page->out, "%3zu. %s – %s", i + 1, view_words(&page->v, &paper->title),
                  view_words(&page->v, &kinds[paper->kind]));
    if (paper->copies > 1)
        wf_buf_printf(page->out, ", %" PRId64 " %s", paper->copies, SAY(page, "bản", "copies"));
    if (paper->needed_if != NULL) {
        char cond[1024];
        wf_buf_text(page->out, SAY(page, ", cần khi ", ", needed if "));
        if (wf_str_copy(wf_expr_source(paper->needed_if), cond, sizeof(cond)))
            say_condition(page, cond);
    } else if (!paper->required) {
        wf_buf_text(page->out, SAY(page, ", nếu có", ", if there is one"));
    }
    wf_buf_text(page->out, "\n");
}

static void add_field(const struct page *page, const struct wf_field *field)
{
    wf_buf_printf(page->out, "  %s %s", field->required ? "*" : "-",
                  view_words(&page->v, &field->title));
    for (size_t i = 0; i < field->choices.n; i++)
        wf_buf_printf(page->out, "%s%s", i > 0 ? " | " : ": ", field->choices.items[i]);
    wf_buf_text(page->out, "\n");
}

void wf_procedure_explain(const struct wf_procedure *p, const struct wf_registry *registry,
                          bool vietnamese, struct wf_buf *out)
{
    const struct page page = {view_of(p, vietnamese), registry, out};
    add_head(&page);
    if (p->n_papers > 0)
        wf_buf_printf(out, "\n%s\n", SAY(&page, "GIẤY TỜ PHẢI NỘP", "PAPERS"));
    for (size_t i = 0; i < p->n_papers; i++)
        add_paper(&page, i);
    if (p->n_fields > 0)
        wf_buf_printf(out, "\n%s\n",
                      SAY(&page, "THÔNG TIN KHAI (* bắt buộc)", "DATA ASKED FOR (* required)"));
    for (size_t i = 0; i < p->n_fields; i++)
        add_field(&page, &p->fields[i]);
    explain_steps(&page);
    explain_lateness(&page);
    explain_endings(&page);
}
