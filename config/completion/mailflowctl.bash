# Completion of mailflowctl for bash: it knows itself what may come next.
# shellcheck shell=bash
_mailflowctl() {
    local candidate
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        if [[ $candidate == :files ]]; then
            compopt -o default
        else
            COMPREPLY+=("$candidate")
        fi
    done < <(printf '%s\n' "${COMP_WORDS[@]:1:COMP_CWORD}" | "$1" complete 2>/dev/null)
}
complete -F _mailflowctl mailflowctl
