/* SPDX-License-Identifier: Apache-2.0 */
/* The main of all five workers; HOSO_SPEC is given by the build: hoso_intake, hoso_routing ... */
#include "catalogue.h"

int main(int argc, char **argv)
{
    return wf_service_main(&HOSO_SPEC, hoso_catalogue(), argc, argv);
}
