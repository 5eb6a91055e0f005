#compdef mailflowctl
# Completion of mailflowctl for zsh: it knows itself what may come next.
local candidate help
local -a candidates
while IFS=$'\t' read -r candidate help; do
    if [[ $candidate == :files ]]; then
        _files
        return
    fi
    candidates+=("${candidate//:/\\:}:$help")
done < <(print -rl -- "${(@)words[2,CURRENT]}" | $words[1] complete 2>/dev/null)
_describe mailflowctl candidates
