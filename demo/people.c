/* SPDX-License-Identifier: Apache-2.0 */
/* Names by their frequency, communes of the province; the rest by chance from the seed. */
#include "people.h"

#include "stand.h"

#include <stdio.h>
#include <string.h>

static const char *const family_names[] = {
    "Nguyễn", "Nguyễn", "Nguyễn", "Trần", "Trần", "Lê",  "Phạm", "Huỳnh", "Huỳnh", "Võ",
    "Phan",   "Trương", "Bùi",    "Đặng", "Đỗ",   "Ngô", "Hồ",   "Dương", "Lý",    "Danh",
};

static const char *const men_middle[] = {"Văn",   "Văn",   "Hữu",  "Minh",
                                         "Thanh", "Hoàng", "Quốc", "Chí"};
static const char *const women_middle[] = {"Thị",  "Thị",      "Thị Mỹ", "Thị Kim",
                                           "Ngọc", "Thị Bích", "Thị Cẩm"};

static const char *const men_given[] = {
    "Phước", "Tài", "Đạt",  "Nghĩa", "Khang", "Lộc",  "Thuận", "Hậu",  "Giang", "Tùng",
    "Sơn",   "Bảo", "Kiệt", "Trí",   "Vinh",  "Hiếu", "Phong", "Nhân", "Quyền", "Duy",
};

static const char *const women_given[] = {
    "Lan",  "Hương", "Diễm", "Tuyết", "Nhung", "Phượng", "Thúy", "Xuân", "Yến", "Trâm",
    "Linh", "Ngân",  "Thảo", "Trinh", "Duyên", "Hạnh",   "Loan", "Mai",  "Như", "Vy",
};

static const char *const hamlets[] = {
    "ấp 1",
    "ấp 2",
    "ấp 3",
    "ấp 5",
    "ấp 7",
    "ấp Long An",
    "ấp Hòa Bình",
    "ấp Thị Trấn",
    "khu vực 1",
    "khu vực 3",
    "khu vực Bình Thạnh",
    "ấp Phước Lộc",
};

static const char *const communes[] = {
    "xã Long Trị, thị xã Long Mỹ",           "xã Long Phú, thị xã Long Mỹ",
    "phường Trà Lồng, thị xã Long Mỹ",       "phường Thuận An, thị xã Long Mỹ",
    "xã Đông Phước A, huyện Châu Thành",     "thị trấn Ngã Sáu, huyện Châu Thành",
    "thị trấn Một Ngàn, huyện Châu Thành A", "xã Tân Hòa, huyện Châu Thành A",
    "thị trấn Cây Dương, huyện Phụng Hiệp",  "xã Hiệp Hưng, huyện Phụng Hiệp",
    "thị trấn Nàng Mau, huyện Vị Thủy",      "xã Vị Thắng, huyện Vị Thủy",
    "phường I, thành phố Vị Thanh",          "phường IV, thành phố Vị Thanh",
    "phường Ngã Bảy, thành phố Ngã Bảy",     "xã Xà Phiên, huyện Long Mỹ",
};

static const char *const mobile_prefixes[] = {"091", "094", "088", "090", "093",
                                              "098", "097", "034", "078", "083"};

#define PICK(array, random) ((array)[(random) % WF_COUNT(array)])

struct person person_of(uint64_t seed, uint64_t n)
{
    uint64_t r = stand_random(seed, "person", n);
    uint64_t q = stand_random(seed, "person's numbers", n);
    unsigned year = 1955 + (unsigned)(q % 51);
    unsigned month = 1 + (unsigned)((q >> 8) % 12);
    unsigned day = 1 + (unsigned)((q >> 16) % 28);
    struct person p = {.is_female = (r & 1) != 0};
    const char *middle = p.is_female ? PICK(women_middle, r >> 8) : PICK(men_middle, r >> 8);
    const char *given = p.is_female ? PICK(women_given, r >> 16) : PICK(men_given, r >> 16);
    unsigned century_and_sex = (year >= 2000 ? 2u : 0u) + (p.is_female ? 1u : 0u);

    (void)snprintf(p.full_name, sizeof(p.full_name), "%s %s %s", PICK(family_names, r >> 24),
                   middle, given);
    (void)snprintf(p.birth_date, sizeof(p.birth_date), "%04u-%02u-%02u", year % 10000, month, day);
    (void)snprintf(p.citizen_id, sizeof(p.citizen_id), "093%u%02u%06u", century_and_sex % 10,
                   year % 100, (unsigned)((q >> 24) % 1000000));
    (void)snprintf(p.phone, sizeof(p.phone), "%s%07u", PICK(mobile_prefixes, r >> 32),
                   (unsigned)((q >> 40) % 10000000));
    if ((r >> 40) % 3 == 0)
        (void)snprintf(p.email, sizeof(p.email), "congdan%05u@example.vn", (unsigned)(n % 100000));
    (void)snprintf(p.address, sizeof(p.address), "Số %u, %s, %s, tỉnh Hậu Giang",
                   1 + (unsigned)((r >> 44) % 400), PICK(hamlets, r >> 50),
                   PICK(communes, r >> 56));
    return p;
}

void child_name(uint64_t seed, uint64_t n, bool is_girl, const struct person *parent, char out[96])
{
    uint64_t r = stand_random(seed, "child", n);
    size_t family = strcspn(parent->full_name, " ");

    (void)snprintf(out, 96, "%.*s %s %s", (int)family, parent->full_name,
                   is_girl ? PICK(women_middle, r >> 8) : PICK(men_middle, r >> 8),
                   is_girl ? PICK(women_given, r >> 16) : PICK(men_given, r >> 16));
}
