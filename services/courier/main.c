/* SPDX-License-Identifier: Apache-2.0 */
/* hoso-courier. */
#include "courier.h"

int main(int argc, char **argv)
{
    return courier_main(argc, argv);
}
