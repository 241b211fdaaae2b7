# SPDX-License-Identifier: Apache-2.0
"""What the tests of real processes share."""
import os

# As a shell without settings of ours.
ENV = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}

# Whole and right: a marital status certificate, brought to a post office.
DOSSIER = {
    "procedure": "1.004873", "channel": "post", "site": "000.00.13.H30",
    "by": "teller-07", "role": "postal_worker",
    "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "post", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage",
               "address": "12 Trần Hưng Đạo, Long Mỹ"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}
