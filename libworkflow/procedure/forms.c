/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/forms.h"

#include <string.h>

/* clang-format off */
#define NO_FORM {NULL, {NULL, NULL}}
static const struct wf_form_row forms[2][WF_FORM_COUNT] = {
    {
        [WF_FORM_RECEIPT]    = {"01", {"Giấy tiếp nhận hồ sơ và hẹn trả kết quả", "Receipt and appointment"}},
        [WF_FORM_SUPPLEMENT] = {"02", {"Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ", "Request for a supplement"}},
        [WF_FORM_REFUSAL]    = {"03", {"Phiếu từ chối tiếp nhận giải quyết hồ sơ", "Refusal"}},
        [WF_FORM_APOLOGY]    = {"04", {"Phiếu xin lỗi và hẹn lại ngày trả kết quả", "Apology and new date"}},
        [WF_FORM_STOPPING]   = NO_FORM,
        [WF_FORM_CONTROL]    = {"05", {"Phiếu kiểm soát quá trình giải quyết hồ sơ", "Control slip"}},
        [WF_FORM_REGISTER]   = {"06", {"Sổ theo dõi hồ sơ", "Register"}},
    },
    {
        [WF_FORM_RECEIPT]    = {"01", {"Giấy tiếp nhận hồ sơ và hẹn trả kết quả", "Receipt and appointment"}},
        [WF_FORM_SUPPLEMENT] = {"02", {"Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ", "Request for a supplement"}},
        [WF_FORM_REFUSAL]    = {"03", {"Phiếu từ chối tiếp nhận hồ sơ", "Refusal to receive"}},
        [WF_FORM_APOLOGY]    = {"04", {"Phiếu xin lỗi và đề nghị gia hạn thời gian trả kết quả", "Apology and request for extension"}},
        [WF_FORM_STOPPING]   = {"05", {"Thông báo dừng giải quyết hồ sơ", "Notice of stopping"}},
        [WF_FORM_CONTROL]    = {"06", {"Phiếu kiểm soát quá trình giải quyết hồ sơ", "Control slip"}},
        [WF_FORM_REGISTER]   = {"07", {"Sổ theo dõi hồ sơ", "Register"}},
    },
};

static const struct {
    const char *template_id;
    enum wf_form form;
} announced[] = {
    {"receipt",    WF_FORM_RECEIPT},
    {"supplement", WF_FORM_SUPPLEMENT},
    {"refused",    WF_FORM_REFUSAL},
    {"apology",    WF_FORM_APOLOGY},
    {"stopped",    WF_FORM_STOPPING},
};
/* clang-format on */

const struct wf_form_row *wf_form(enum wf_form_set set, enum wf_form form)
{
    const struct wf_form_row *row = &forms[set == WF_FORMS_2025][form];
    return row->number != NULL ? row : NULL;
}

/* Law begins and ends with days of Viet Nam, whatever hours a site keeps. */
enum wf_form_set wf_form_set_of(const struct wf_procedure *p, int64_t received_ms)
{
    if (p->form_set != WF_FORMS_BY_DAY)
        return p->form_set;
    static const struct wf_civil in_force = {.year = 2025, .month = 7, .day = 1};
    return received_ms >= wf_civil_to_ms(NULL, &in_force) ? WF_FORMS_2025 : WF_FORMS_2018;
}

const char *wf_form_set_name(enum wf_form_set set)
{
    return set == WF_FORMS_2025 ? "2025" : "2018";
}

bool wf_form_of_template(const char *template_id, enum wf_form *out)
{
    for (size_t i = 0; i < WF_COUNT(announced); i++) {
        if (strcmp(announced[i].template_id, template_id) == 0) {
            *out = announced[i].form;
            return true;
        }
    }
    return false;
}
