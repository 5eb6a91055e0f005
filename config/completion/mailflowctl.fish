# Completion of mailflowctl for fish: it knows itself what may come next.
function __mailflowctl_complete
    set -l line (commandline -opc)
    set -l typed (commandline -ct)
    set -l candidates (printf '%s\n' $line[2..] "$typed" | $line[1] complete 2>/dev/null)
    if test "$candidates" = :files
        __fish_complete_path $typed
    else
        printf '%s\n' $candidates
    end
end
complete -c mailflowctl -f -a '(__mailflowctl_complete)'
