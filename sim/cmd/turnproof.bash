# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion of turnproof.
_turnproof() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run --help --version" -- "$cur")
        return
    fi
    case $prev in
    --engine) mapfile -t COMPREPLY < <(compgen -W "native ns3 both" -- "$cur") ;;
    --out) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --seed | --set | --rules | --capture) ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "--engine --seed --rules --set --out --capture --json --help" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _turnproof turnproof
