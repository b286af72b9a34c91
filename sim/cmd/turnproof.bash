# SPDX-License-Identifier: GPL-2.0-or-later
# Bash completion of turnproof. Commands and options are what the program itself says in its --help.
_turnproof() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="$("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p') --help --version"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    case $prev in
    --engine)
        words="native ns3 both"
        [ "${COMP_WORDS[1]}" != conform ] || words="memory native ns3"
        [ "${COMP_WORDS[1]}" != matrix ] || words="native ns3"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        ;;
    --profile) mapfile -t COMPREPLY < <(compgen -W "strict expressway rfc5766" -- "$cur") ;;
    --size) mapfile -t COMPREPLY < <(compgen -W "small medium large" -- "$cur") ;;
    --format)
        words="text json junit sarif"
        [ "${COMP_WORDS[1]}" != conform ] || words="text tap junit json"
        [ "${COMP_WORDS[1]}" != diagnose ] || words="text json html"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        ;;
    --transport) mapfile -t COMPREPLY < <(compgen -W "tcp udp both" -- "$cur") ;;
    --server-setup)
        words="plain tcp-only udp-only quota redirect ip4-only ip6-only few-ports deny rfc5766 ms-turn"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        ;;
    --table)
        words="web-proxy sip-edge-standards sip-edge-microsoft p2p-microsoft skype-edge"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -f -X '!*.json' -- "$cur")
        ;;
    --out) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --faults) mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur") ;;
    --users | --log) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        if [[ $cur == -* ]]; then
            words=$("$program" "${COMP_WORDS[1]}" --help | grep -o -E '^  --[a-z0-9-]+')
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        elif [[ ${COMP_WORDS[1]} == diagnose ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        elif [[ $prev != --* ]]; then
            mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$cur"; compgen -d -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _turnproof turnproof
