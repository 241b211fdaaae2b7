# SPDX-License-Identifier: Apache-2.0
# Completion of the command hoso, for bash, and for zsh:
#
#     autoload -U +X bashcompinit && bashcompinit && source .../completions/hoso
#
# What follows first is made from the table of verbs (man/reference.c).

@completion

# All verbs whose words begin as those that are there already.
_hoso_words() {
    local begin=$1 line
    while IFS= read -r line; do
        [[ $line == "$begin"* ]] || continue
        line=${line#"$begin"}
        printf '%s\n' "${line%% *}"
    done <<<"$_hoso_verbs"
}

_hoso_is_verb() {
    [[ $'\n'$_hoso_verbs$'\n' == *$'\n'"$1"$'\n'* ]]
}

# The command as it was typed, in the cell that was typed; silent where that cannot be asked.
_hoso_ask() {
    local cell=()
    [[ -n $_hoso_cell ]] && cell=(--cell "$_hoso_cell")
    "$_hoso_program" "$@" "${cell[@]}" --json 2>/dev/null
}

# The values of one member of a JSON answer.
_hoso_member() {
    sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' | sort -u
}

_hoso_folders() {
    compgen -d -- "$1"
}

# Folders that are cells; and others, since one may lie below.
_hoso_cells() {
    local folder
    for folder in /var/lib/hoso/*; do
        [[ -e $folder/hoso.cfg && $folder == "$1"* ]] && printf '%s\n' "$folder"
    done
    _hoso_folders "$1"
}

_hoso_registered() {
    local file
    for file in "${_hoso_cell:-${HOSO_CELL:-.}}"/parties/*.cfg; do
        [[ -e $file ]] && basename "$file" .cfg
    done
}

# Codes or names in a file of the cell's registry.
_hoso_register() {
    sed -n 's/.*\b'"$2"' = "\([^"]*\)".*/\1/p' "${_hoso_cell:-${HOSO_CELL:-.}}/$1" 2>/dev/null |
        sort -u
}

# What may stand for a word of the synopsis ("FILE|CODE") in a verb's arguments or an option.
_hoso_candidates() {
    local kind=$1 verb=$2 cur=$3
    case $verb:$kind in
        *:--cell) _hoso_cells "$cur" ;;
        *:DIR | *:FOLDER | *:BACKUP) _hoso_folders "$cur" ;;
        *:--procedure | procedure*:CODE | export*:CODE | procedure*:[AB])
            _hoso_ask procedure list | _hoso_member procedure ;;
        *:--site) _hoso_register sites.cfg code ;;
        *:--role | *:--roles) _hoso_register roles.cfg id ;;
        *:--service) printf '%s\n' $_hoso_services ;;
        *:--activity | *:--activities | *:ACTIVITY) printf '%s\n' $_hoso_activities ;;
        *:--format) printf '%s\n' xes csv scxml ;;
        *:KIND) if [[ $verb == party* ]]; then
                printf '%s\n' counter desk agency gateway courier portal monitor
            else
                printf '%s\n' dossier procedure queue site cell
            fi ;;
        party*:NAME) _hoso_registered ;;
        *:CODE) _hoso_ask list --open | _hoso_member dossier ;;
        *:FILE* | *:DEFINITION | *:EVENTS | *:PAPER) compgen -f -- "$cur" ;;
    esac
}

# The synopsis word of an argument, "FILE|CODE" as two; the last one for all that follow.
_hoso_kinds() {
    local args=$1 at=$2 word
    args=${args//[\[\]]/}
    for word in $args; do
        ((at-- == 0)) && break
    done
    printf '%s\n' "${word//.../}" | tr '|' '\n'
}

_hoso() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local _hoso_program=${COMP_WORDS[0]} _hoso_cell='' verb='' rest='' args opts word kind i n=0
    local found=()
    # "--option=value" comes as three words where = parts words
    if [[ $cur == --*=* ]]; then
        previous=${cur%%=*} cur=${cur#*=}
    elif [[ $cur == = ]]; then
        cur=''
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == --*=* ]]; then
            [[ $word == --cell=* ]] && _hoso_cell=${word#*=}
        elif [[ $word == --* ]]; then
            [[ -n $(_hoso_value "$word") ]] || continue
            [[ ${COMP_WORDS[i + 1]} == = ]] && i=$((i + 1))
            i=$((i + 1))
            [[ $word == --cell ]] && _hoso_cell=${COMP_WORDS[i]}
        elif [[ $word == help && -z $verb$rest ]]; then
            continue
        elif [[ -z $verb ]]; then
            rest="$rest${rest:+ }$word"
            _hoso_is_verb "$rest" && verb=$rest
        elif ((n == 0)) && _hoso_is_verb "$verb $word"; then
            verb="$verb $word"
        else
            n=$((n + 1))
        fi
    done

    _hoso_verb "$verb"
    kind=$(_hoso_value "$previous")
    if [[ $previous == --* && -n $kind ]]; then
        found=($(_hoso_candidates "$previous" "$verb" "$cur"))
        ((${#found[@]} == 0)) && for word in ${kind//|/ }; do
            if [[ $kind == *[a-z]* ]]; then
                found+=("$word")
            else
                found+=($(_hoso_candidates "$word" "$verb" "$cur"))
            fi
        done
    elif [[ $cur == -* ]]; then
        found=(${opts:---cell= --json --lang= --help --version})
    else
        if [[ -z $verb ]]; then
            found=($(_hoso_words "${rest:+$rest }"))
            [[ -z $rest ]] && found+=(help)
        elif ((n == 0)); then
            found=($(_hoso_words "$verb "))
        fi
        if [[ -n $verb && -n $args ]]; then
            for kind in $(_hoso_kinds "$args" "$n"); do
                found+=($(_hoso_candidates "$kind" "$verb" "$cur"))
            done
        fi
    fi
    COMPREPLY=($(compgen -W "${found[*]}" -- "$cur"))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == --*= ]] && compopt -o nospace 2>/dev/null
    return 0
}

complete -o filenames -F _hoso hoso
