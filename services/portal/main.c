/* SPDX-License-Identifier: Apache-2.0 */
#include "portal/portal.h"

int main(int argc, char **argv)
{
    return adapter_main(&portal_spec, argc, argv);
}
