# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion of turnproof.
_turnproof() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options formats
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "check diff run --help --version" -- "$cur")
        return
    fi
    formats="text json junit sarif"
    case ${COMP_WORDS[1]} in
    check)
        options="--table --size --expressway --rules --set --at --format --simulate --no-advice --help"
        ;;
    diff)
        options="--table --size --expressway --rules --set --at --with --format --help"
        formats="text json"
        ;;
    run) options="--engine --seed --rules --set --out --capture --json --help" ;;
    esac
    case $prev in
    --engine) mapfile -t COMPREPLY < <(compgen -W "native ns3 both" -- "$cur") ;;
    --size) mapfile -t COMPREPLY < <(compgen -W "small medium large" -- "$cur") ;;
    --format) mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$cur") ;;
    --table)
        mapfile -t COMPREPLY < <(compgen -W "web-proxy sip-edge-standards sip-edge-microsoft p2p-microsoft skype-edge" \
            -- "$cur"; compgen -f -X '!*.json' -- "$cur")
        ;;
    --out) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --seed | --set | --rules | --with | --capture | --expressway | --at) ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _turnproof turnproof
