/* SPDX-License-Identifier: Apache-2.0 */
/* procedure import in a build without libxml2. */
#include "hoso.h"

int hoso_procedure_import(struct hoso *h)
{
    return wf_fail(&h->err, WF_E_UNSUPPORTED,
                   "this program was built without libxml2 and cannot read SCXML");
}
