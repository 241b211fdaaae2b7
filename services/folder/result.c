/* SPDX-License-Identifier: Apache-2.0 */
/* What the party reads: answers and errors, with the way to mend them in two languages. */
#include "folder.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ZONE_S (7 * 3600) /* Asia/Ho_Chi_Minh, without summer time since 1975 */

/* clang-format off */
static const struct {
    int code;
    const char *en, *vi;
} cures[] = {
    {WF_E_INVALID,     "correct what is named here and drop the row again",
                       "sửa chỗ được nêu rồi gửi lại dòng này"},
    {WF_E_DENIED,      "ask the operator: the registration of this party does not allow it",
                       "hỏi người vận hành: đăng ký của đơn vị không cho phép việc này"},
    {WF_E_NOT_FOUND,   "check the dossier's code",
                       "kiểm tra lại mã hồ sơ"},
    {WF_E_STATE,       "look at the dossier's state: leave the row out, or drop it again later",
                       "xem trạng thái hồ sơ: bỏ dòng này hoặc gửi lại sau"},
    {WF_E_CONFLICT,    "the row was taken with other content before: look the dossier up first",
                       "dòng này đã được nhận với nội dung khác: hãy tra cứu hồ sơ trước"},
    {WF_E_HELD,        "on hold: drop the row again when the operator has released it",
                       "đang tạm giữ: gửi lại dòng này khi người vận hành đã bỏ tạm giữ"},
    {WF_E_UNSUPPORTED, "correct the member that is not known here",
                       "sửa thành phần không được hỗ trợ"},
};
/* clang-format on */

const char *cure_of(int code, bool in_vietnamese)
{
    for (size_t i = 0; i < WF_COUNT(cures); i++) {
        if (cures[i].code == code)
            return in_vietnamese ? cures[i].vi : cures[i].en;
    }
    return in_vietnamese ? "báo cho người vận hành" : "tell the operator";
}

json_t *time_json(int64_t ms)
{
    char text[40];
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000) + ZONE_S;
    if (ms == 0 || gmtime_r(&seconds, &tm) == NULL)
        return json_null();
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+07:00", &tm);
    return json_string(text);
}

/* A text of an error may have been cut within a character. */
static json_t *cut_text(const char *text)
{
    size_t length = strlen(text);
    while (!wf_is_utf8(text, length))
        length--;
    return json_stringn(text, length);
}

json_t *error_json(const struct wf_error *err, const char *field, const struct place *place)
{
    json_t *json = json_pack("{s:s, s:o, s:s, s:s}", "code", wf_code_word(err->code), "message",
                             cut_text(err->text), "cure", cure_of(err->code, false), "cure_vi",
                             cure_of(err->code, true));
    int rc = json != NULL ? 0 : -1;
    if (rc == 0 && field != NULL && field[0] != '\0')
        rc = json_object_set_new(json, "field", cut_text(field));
    if (rc == 0 && place != NULL && place->line > 0)
        rc = json_object_set_new(json, "line", json_integer((json_int_t)place->line));
    if (rc == 0 && place != NULL && place->column > 0)
        rc = json_object_set_new(json, "column", json_integer((json_int_t)place->column));
    if (rc == 0)
        return json;
    json_decref(json);
    return NULL;
}

json_t *result_of_error(size_t row, size_t line, const char *field, const struct wf_error *err)
{
    const struct place place = {.line = line};
    return json_pack("{s:I, s:o}", "row", (json_int_t)row, "error", error_json(err, field, &place));
}

json_t *result_of_answer(size_t row, const struct wf_msg_dossier_state *s)
{
    /* clang-format off */
    json_t *json = json_pack("{s:I, s:s%, s:s%, s:s%, s:i, s:o, s:o, s:o, s:b}",
        "row", (json_int_t)row,
        "dossier", s->dossier.ptr, s->dossier.len,
        "procedure", s->procedure.ptr, s->procedure.len,
        "site", s->site.ptr, s->site.len,
        "status", (int)s->status,
        "states", json_of(s->states),
        "received", time_json(s->received),
        "due", time_json(s->due),
        "closed", s->closed);
    /* clang-format on */
    return json;
}
