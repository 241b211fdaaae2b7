#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A stranger's program compiles and links against what `meson install` puts down, shared and static.
# Usage: installed.sh BUILD-FOLDER
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
DESTDIR="$folder" meson install -C "$1" --no-rebuild >"$folder/log"
pc=$(find "$folder" -name workflow.pc)
lib=$(dirname "$(dirname "$pc")")
cat >"$folder/stranger.c" <<'C'
#include <stdio.h>
#include <workflow/client.h>

int main(void)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_client_options options = {.timeout_ms = 50};
    struct wf_msg_dossier_get get = {.dossier = wf_str("000.00.13.H30-261123-0001")};
    struct wf_client *client = NULL;
    struct wf_envelope reply;
    struct wf_error err;
    int rc = wf_client_open("/nonexistent", &options, &client, &err);
    if (rc == 0)
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_dossier_get, &get, arena, &reply, &err);
    wf_client_close(client);
    wf_arena_free(arena);
    puts(wf_code_word(rc));
    return rc == WF_E_TIMEOUT ? 0 : 1;
}
C
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_SYSROOT_DIR="$folder"
cc -Wall -Werror "$folder/stranger.c" $(pkg-config --cflags --libs workflow) -o "$folder/shared"
LD_LIBRARY_PATH="$lib" "$folder/shared"
# Only ours is static: what the libraries below it need in turn (pkg-config --static) is not installed
# with their -dev packages on a plain Debian.
needs=$(pkg-config --print-requires-private workflow | cut -d' ' -f1)
cc -Wall -Werror "$folder/stranger.c" $(pkg-config --cflags workflow) "$lib/libworkflow.a" \
    $(pkg-config --libs-only-l $needs) $(sed -n 's/^Libs.private: //p' "$pc") -o "$folder/static"
"$folder/static"
