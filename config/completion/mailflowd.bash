# Completion of mailflowd for bash.
# shellcheck shell=bash
_mailflowd() {
    local word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --config | --probers | =) compopt -o default ;;
    *) mapfile -t COMPREPLY < <(compgen -W '--config --check-config --probers --version --help' -- "$word") ;;
    esac
}
complete -F _mailflowd mailflowd
